// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "paper_numbers.hpp"
#include "report.hpp"

namespace icpi::program {

namespace {

constexpr std::array<std::string_view, 8> colours{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728",
                                                  "#9467bd", "#7f7f7f", "#8c564b", "#17becf"};

/// Text that gnuplot draws as it is: labels may come from files.
std::string plain(std::string_view text) {
  std::string result;
  for (const char each : text) {
    const bool kept = (each >= '0' && each <= '9') || (each >= 'A' && each <= 'Z') || (each >= 'a' && each <= 'z') ||
                      std::string_view(" ._+/()%-").find(each) != std::string_view::npos;
    result += kept ? each : '_';
  }
  return result;
}

/// ICPI with one of the named sets of options, nothing changed in it.
bool is_icpi(std::string_view agent) { return agent == "icpi" || agent == "icpi-best"; }

bool is_ablation(std::string_view agent) { return agent.starts_with("icpi-") && !is_icpi(agent); }

std::string label_of(const ReportCurve& curve, bool with_model) {
  return plain(with_model && !curve.model.empty() ? curve.agent + " (" + curve.model + ")" : curve.agent);
}

/// Domains of the plan in the paper's order, others after them.
std::vector<std::string> panels(const Report& report, const FigurePlan& plan) {
  std::vector<std::string> domains;
  const auto shown = [&](const std::string& domain) {
    return std::any_of(plan.curves.begin(), plan.curves.end(),
                       [&](std::size_t each) { return report.curves[each].domain == domain; });
  };
  for (const auto& domain : paper_numbers().domains) {
    if (shown(domain)) domains.push_back(domain);
  }
  for (const auto number : plan.curves) {
    const auto& domain = report.curves[number].domain;
    if (std::find(domains.begin(), domains.end(), domain) == domains.end()) domains.push_back(domain);
  }
  return domains;
}

/// A domain's name as part of a data block's.
std::string data_name(std::string_view domain) {
  std::string name;
  for (const char each : domain) name += each == '-' ? '_' : each;
  return name;
}

/// The published curve of a domain whose run has the paper's horizon; nullptr if there is none.
const PaperCurve* paper_curve(const Report& report, const FigurePlan& plan, const std::string& domain) {
  if (!plan.with_paper) return nullptr;
  const auto found = paper_numbers().icpi_curves.find(domain);
  const bool known = found != paper_numbers().icpi_curves.end() && found->second.horizon == report.horizons.at(domain);
  return known ? &found->second : nullptr;
}

void append_data(const Report& report, const FigurePlan& plan, std::string& out) {
  for (const auto number : plan.curves) {
    const auto& curve = report.curves[number].curve;
    out += fmt::format("$curve{} << end_of_data\n", number);
    for (Eigen::Index bin = 0; bin < curve.mean.size(); ++bin) {
      if (std::isnan(curve.mean(bin))) continue;
      out += fmt::format("{:.6g} {:.6g} {:.6g}\n", curve.position(bin), curve.mean(bin), curve.error(bin));
    }
    out += "end_of_data\n";
  }
}

constexpr std::string_view paper_style = "lines lw 1.5 dt 2 lc rgb '#000000'";

void append_paper_data(const Report& report, const FigurePlan& plan, std::string& out) {
  for (const auto& domain : panels(report, plan)) {
    const PaperCurve* curve = paper_curve(report, plan, domain);
    if (curve == nullptr) continue;
    out += fmt::format("$paper_{} << end_of_data\n", data_name(domain));
    const double width = static_cast<double>(curve->horizon) / static_cast<double>(curve->bins.size());
    for (std::size_t bin = 0; bin < curve->bins.size(); ++bin) {
      if (!std::isnan(curve->bins[bin]))
        out += fmt::format("{:.6g} {:.6g}\n", (static_cast<double>(bin) + 0.5) * width, curve->bins[bin]);
    }
    out += "end_of_data\n";
  }
}

bool shows_returns(const Report& report, const std::string& domain) {
  return std::any_of(report.curves.begin(), report.curves.end(),
                     [&](const ReportCurve& each) { return each.domain == domain && each.returns; });
}

void append_panel(const Report& report, const FigurePlan& plan, const std::string& domain,
                  const std::vector<std::string>& labels, bool with_model, std::string& out) {
  const auto horizon = report.horizons.at(domain);
  const bool returns = shows_returns(report, domain);
  if (returns) out += "set ylabel 'return'\nset yrange [*:*]\n";
  out += fmt::format(
      "set title '{}' noenhanced\nset xrange [0:{}]\nset xtics nomirror {:.4g}\nplot ", plain(domain), horizon,
      horizon < 20 ? static_cast<double>(horizon) / 4 : std::ceil(static_cast<double>(horizon) / 20) * 5);
  bool first = true;
  for (const bool band : {true, false}) {
    for (const auto number : plan.curves) {
      const auto& curve = report.curves[number];
      if (curve.domain != domain) continue;
      const auto label = std::find(labels.begin(), labels.end(), label_of(curve, with_model)) - labels.begin();
      const auto colour = colours[static_cast<std::size_t>(label) % colours.size()];
      out += first ? "" : ", ";
      first = false;
      out += band ? fmt::format(
                        "$curve{} using 1:($2-$3):($2+$3) with filledcurves fc rgb '{}' fs transparent solid "
                        "0.2 noborder notitle",
                        number, colour)
                  : fmt::format("$curve{} using 1:2 with lines lw 2 lc rgb '{}' notitle", number, colour);
    }
  }
  if (paper_curve(report, plan, domain) != nullptr)
    out += fmt::format(", $paper_{} using 1:2 with {} notitle", data_name(domain), paper_style);
  out += '\n';
  if (returns) out += "set ylabel 'regret'\nset yrange [0:*]\n";
}

/// An empty panel at the bottom that holds the key of all.
void append_key(const std::vector<std::string>& labels, double height, bool with_paper, std::string& out) {
  out += fmt::format(
      "set origin 0,0\nset size 1,{:.4g}\nunset title\nunset xlabel\nunset ylabel\nunset border\nunset tics\n"
      "unset grid\nset key center center horizontal maxrows 3 noenhanced\nset xrange [0:1]\nset yrange [0:1]\nplot ",
      height);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out += fmt::format("{}NaN with lines lw 3 lc rgb '{}' title '{}'", i == 0 ? "" : ", ", colours[i % colours.size()],
                       labels[i]);
  }
  if (with_paper) out += fmt::format(", NaN with {} title 'code-davinci-002 (paper)'", paper_style);
  out += '\n';
}

}  // namespace

std::vector<FigurePlan> plan_figures(const Report& report) {
  std::set<std::string> ways;
  for (const auto& each : report.curves) {
    if (is_icpi(each.agent) || is_ablation(each.agent)) ways.insert(each.agent);
  }
  const auto tells_models_apart = [&](const std::string& agent) {  // the same way for all, whichever it is
    return is_icpi(agent) || (ways.size() == 1 && ways.contains(agent));
  };
  std::set<std::string> models;
  for (const auto& each : report.curves) {
    if (tells_models_apart(each.agent)) models.insert(each.model);
  }
  FigurePlan methods{"figure-methods", "Regret of the methods", {}, true};
  FigurePlan ablations{"figure-ablations", "Regret of ICPI and its ablations", {}, false};
  FigurePlan language_models{"figure-models", "Regret of ICPI by language model", {}, true};
  bool any_ablation = false;
  for (std::size_t i = 0; i < report.curves.size(); ++i) {
    const auto& agent = report.curves[i].agent;
    any_ablation = any_ablation || is_ablation(agent);
    if (!is_ablation(agent)) methods.curves.push_back(i);
    if (is_icpi(agent) || is_ablation(agent)) ablations.curves.push_back(i);
    if (tells_models_apart(agent) || agent == "random") language_models.curves.push_back(i);
  }
  const auto returns = [](const ReportCurve& each) { return each.returns; };
  if (!report.curves.empty() && std::all_of(report.curves.begin(), report.curves.end(), returns)) {
    for (FigurePlan* plan : {&methods, &ablations, &language_models})
      plan->title.replace(0, std::string_view("Regret").size(), "Return");
  }
  std::vector<FigurePlan> plans;
  if (!methods.curves.empty()) plans.push_back(std::move(methods));
  if (any_ablation) plans.push_back(std::move(ablations));
  if (models.size() > 1) plans.push_back(std::move(language_models));
  return plans;
}

std::string figure_program(const Report& report, const FigurePlan& plan) {
  std::set<std::string> models;
  for (const auto number : plan.curves) models.insert(report.curves[number].model);
  models.erase("");
  const bool with_model = models.size() > 1;
  std::vector<std::string> labels;
  for (const auto number : plan.curves) {
    const auto label = label_of(report.curves[number], with_model);
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  }
  const auto domains = panels(report, plan);
  const bool any_paper = std::any_of(domains.begin(), domains.end(), [&](const std::string& domain) {
    return paper_curve(report, plan, domain) != nullptr;
  });
  const std::size_t columns = std::min<std::size_t>(3, domains.size());
  const std::size_t rows = (domains.size() + columns - 1) / columns;
  const double key_height = rows == 1 ? 0.2 : 0.11;
  const auto width = 360 * columns;
  const auto height = 280 * rows + 70;

  std::string out = "# Draws " + plan.name + ".svg and " + plan.name + ".png: gnuplot " + plan.name + ".gp\n";
  append_data(report, plan, out);
  append_paper_data(report, plan, out);
  for (const bool vector : {true, false}) {
    out += vector
               ? fmt::format("set terminal svg size {},{} dynamic font 'sans,12' background '#ffffff'\n", width, height)
               : fmt::format("set terminal pngcairo size {},{} font 'sans,12' background '#ffffff'\n", width, height);
    out += fmt::format("set output '{}.{}'\n", plan.name, vector ? "svg" : "png");
    out += fmt::format("set multiplot title '{}' noenhanced\n", plain(plan.title));
    out +=
        "set border 3\nset ytics auto nomirror\nset grid xtics ytics back lt 1 lw 0.6 lc rgb '#cccccc'\nunset key\n"
        "set ylabel 'regret'\nset xlabel 'environment steps'\nset yrange [0:*]\n";
    const double top = 1 - 26.0 / static_cast<double>(height);
    const double panel_height = (top - key_height) / static_cast<double>(rows);
    for (std::size_t i = 0; i < domains.size(); ++i) {
      out += fmt::format("set origin {:.4g},{:.4g}\nset size {:.4g},{:.4g}\n",
                         static_cast<double>(i % columns) / static_cast<double>(columns),
                         top - static_cast<double>(i / columns + 1) * panel_height, 1 / static_cast<double>(columns),
                         panel_height);
      append_panel(report, plan, domains[i], labels, with_model, out);
    }
    append_key(labels, key_height, any_paper, out);
    out += "unset multiplot\nset output\n";
  }
  return out;
}

}  // namespace icpi::program
