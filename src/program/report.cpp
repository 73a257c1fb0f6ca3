// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "gnuplot.hpp"
#include "icpi/core/error.hpp"
#include "paper_numbers.hpp"
#include "run_directory.hpp"

namespace icpi::program {

namespace {

std::string row_name(const ReportCurve& each) {
  return each.model.empty() ? each.agent : fmt::format("{} ({})", each.agent, each.model);
}

/// ".178": three digits after the point, as the paper writes regrets.
std::string thousandths(double value) {
  if (std::isnan(value)) return "-";
  std::string text = fmt::format("{:.3f}", value);
  if (text == "-0.000") text = "0.000";
  if (text.starts_with("0.")) return text.substr(1);
  return text;
}

std::vector<std::string> domains_of(const Report& report) {
  std::vector<std::string> domains;
  const auto add = [&](const std::string& domain) {
    if (std::find(domains.begin(), domains.end(), domain) == domains.end()) domains.push_back(domain);
  };
  for (const auto& domain : paper_numbers().domains) {
    if (report.horizons.contains(domain)) add(domain);
  }
  for (const auto& each : report.curves) add(each.domain);
  return domains;
}

std::string table_row(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const auto& cell : cells) row += ' ' + cell + " |";
  return row + '\n';
}

}  // namespace

Report make_report(const std::vector<EpisodeRecord>& records, const std::map<std::string, std::size_t>& horizons,
                   std::size_t bins) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::vector<Key> order;
  std::map<Key, std::vector<EpisodeRecord>> groups;
  for (const auto& record : records) {
    auto& group = groups[{record.domain, record.agent, record.model}];
    if (group.empty()) order.emplace_back(record.domain, record.agent, record.model);
    group.push_back(record);
  }
  Report report;
  for (const auto& key : order) {
    const auto& domain = std::get<0>(key);
    const auto horizon = horizons.find(domain);
    if (horizon == horizons.end()) throw InvalidArgument(fmt::format("records: no horizon for domain '{}'", domain));
    report.horizons.insert(*horizon);
    auto& group = groups[key];
    const bool returns = std::any_of(group.begin(), group.end(), [](const auto& each) { return !each.optimum_known; });
    for (auto& record : group) {
      if (returns) record.regret = record.episode_return;
    }
    report.curves.push_back(
        {domain, std::get<1>(key), std::get<2>(key), regret_curve(group, horizon->second, bins), returns});
  }
  return report;
}

std::string quoted_field(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char each : text) field += each == '"' ? std::string("\"\"") : std::string(1, each);
  return field + '"';
}

std::string curves_csv(const Report& report) {
  std::string csv = "domain,agent,model,seeds,bin,step,mean,standard_error\n";
  for (const auto& each : report.curves) {
    for (Eigen::Index bin = 0; bin < each.curve.mean.size(); ++bin) {
      if (std::isnan(each.curve.mean(bin))) continue;
      csv += fmt::format("{},{},{},{},{},{},{},{}\n", quoted_field(each.domain), quoted_field(each.agent),
                         quoted_field(each.model), each.curve.seeds, bin, each.curve.position(bin),
                         each.curve.mean(bin), each.curve.error(bin));
    }
  }
  return csv;
}

std::string summary_csv(const Report& report) {
  std::string csv = "domain,agent,model,seeds,auc,auc_standard_error,last20,last20_standard_error\n";
  for (const auto& each : report.curves) {
    csv += fmt::format("{},{},{},{},{},{},{},{}\n", quoted_field(each.domain), quoted_field(each.agent),
                       quoted_field(each.model), each.curve.seeds, each.curve.auc.mean, each.curve.auc.error,
                       each.curve.last20.mean, each.curve.last20.error);
  }
  return csv;
}

std::string summary_table(const Report& report, bool paper) {
  const auto domains = domains_of(report);
  std::vector<std::string> header{"auc / last 20 %"};
  std::vector<std::string> rule{"---"};
  for (const auto& domain : domains) {
    const bool returns = std::any_of(report.curves.begin(), report.curves.end(),
                                     [&](const ReportCurve& each) { return each.domain == domain && each.returns; });
    header.push_back(returns ? domain + " (mean return / last 20 %)" : domain);
    rule.push_back("---");
  }
  std::string table = table_row(header) + table_row(rule);
  std::vector<std::string> names;
  for (const auto& each : report.curves) {
    if (std::find(names.begin(), names.end(), row_name(each)) == names.end()) names.push_back(row_name(each));
  }
  for (const auto& name : names) {
    std::vector<std::string> cells{name};
    for (const auto& domain : domains) {
      const auto found = std::find_if(report.curves.begin(), report.curves.end(), [&](const ReportCurve& each) {
        return each.domain == domain && row_name(each) == name;
      });
      if (found == report.curves.end()) {
        cells.emplace_back("");
        continue;
      }
      const auto& curve = found->curve;
      cells.push_back(fmt::format("{} ±{} / {} ±{}", thousandths(curve.auc.mean), thousandths(curve.auc.error),
                                  thousandths(curve.last20.mean), thousandths(curve.last20.error)));
    }
    table += table_row(cells);
  }
  const auto& known = paper_numbers();
  const bool in_paper = std::any_of(domains.begin(), domains.end(), [&](const std::string& domain) {
    return std::find(known.domains.begin(), known.domains.end(), domain) != known.domains.end();
  });
  for (const auto& row : known.rows) {
    if (!paper || !in_paper) break;
    std::vector<std::string> cells{row.name};
    for (const auto& domain : domains) {
      const auto column = std::find(known.domains.begin(), known.domains.end(), domain) - known.domains.begin();
      const auto index = static_cast<std::size_t>(column);
      cells.push_back(index < row.values.size() ? fmt::format("{} / {}", thousandths(row.values[index].auc),
                                                              thousandths(row.values[index].last20))
                                                : "");
    }
    const bool says_something =
        std::any_of(cells.begin() + 1, cells.end(), [](const std::string& cell) { return !cell.empty(); });
    if (says_something) table += table_row(cells);
  }
  return table;
}

std::vector<std::filesystem::path> write_report(const Report& report, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  const auto write = [&](const std::string& name, std::string_view text) {
    write_file(folder / name, text);
    files.push_back(folder / name);
  };
  write("curves.csv", curves_csv(report));
  write("summary.csv", summary_csv(report));
  write("table.md", summary_table(report, true));
  for (const auto& plan : plan_figures(report)) {
    write(plan.name + ".gp", figure_program(report, plan));
    draw_figure(folder, plan.name);
    files.push_back(folder / (plan.name + ".svg"));
    files.push_back(folder / (plan.name + ".png"));
  }
  return files;
}

}  // namespace icpi::program
