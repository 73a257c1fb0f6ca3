// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "icpi/experiment/episode_record.hpp"
#include "icpi/experiment/regret_curve.hpp"

namespace icpi::program {

/// The curve of one method in one domain.
struct ReportCurve {
  std::string domain;
  std::string agent;
  std::string model;  ///< identity; empty: none
  RegretCurve curve;
  bool returns = false;  ///< nobody knows the optimum: the curve is of returns, and not of regrets
};

/// Everything that tables and figures are made of.
struct Report {
  std::vector<ReportCurve> curves;              ///< in the order in which they first appear in the records
  std::map<std::string, std::size_t> horizons;  ///< steps by domain
};

/// Groups records by domain, agent and model. Throws InvalidArgument when a domain has no horizon or a run is not
/// complete.
Report make_report(const std::vector<EpisodeRecord>& records, const std::map<std::string, std::size_t>& horizons,
                   std::size_t bins = 20);

/// A field of a CSV file: in quotes where it needs them.
std::string quoted_field(std::string_view text);

/// domain,agent,model,seeds,bin,step,mean,standard_error
std::string curves_csv(const Report& report);

/// domain,agent,model,seeds,auc,auc_standard_error,last20,last20_standard_error
std::string summary_csv(const Report& report);

/// One row a method, one column a domain, "auc / last 20 %" in thousandths as the paper writes them; with `paper` also
/// the published and reference numbers.
std::string summary_table(const Report& report, bool paper);

/// What a figure shows.
struct FigurePlan {
  std::string name;  ///< file name without extension
  std::string title;
  std::vector<std::size_t> curves;  ///< numbers of Report::curves
  bool with_paper = false;          ///< also the published curve of ICPI
};

/// The figures that the report has curves for: the methods (as the paper's first figure; `icpi-best` is one), the
/// ablations (its second), and, when there are several, the language models (its third).
std::vector<FigurePlan> plan_figures(const Report& report);

/// A gnuplot program that draws the figure into NAME.svg and NAME.png of the folder it runs in.
std::string figure_program(const Report& report, const FigurePlan& plan);

/// Writes curves.csv, summary.csv, table.md, and every figure with its gnuplot program. Returns the names of the files.
/// Throws Error when something cannot be written or gnuplot fails; what was written before stays.
std::vector<std::filesystem::path> write_report(const Report& report, const std::filesystem::path& folder);

}  // namespace icpi::program
