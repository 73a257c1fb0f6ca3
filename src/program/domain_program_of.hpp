// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "icpi/concepts/environment.hpp"
#include "icpi/domains/solver.hpp"
#include "icpi/models/oracle.hpp"
#include "program_of.hpp"
#include "question_reader_of.hpp"

namespace icpi::program {

/// The optimal return from first observations on. Keeps what the solver computed, up to a point: start states may be
/// without number.
template <Enumerable Env>
class OptimalReturns {
 public:
  OptimalReturns(const Env& env, double discount) : env_(env), discount_(discount) {}

  double operator()(const typename Env::Observation& start) {
    if (!solver_ || ++used_ % keep == 0) solver_.emplace(env_, discount_);
    return solver_->optimal_return(start);
  }

 private:
  static constexpr std::uint64_t keep = 256;

  Env env_;
  double discount_;
  std::optional<Solver<Env>> solver_;
  std::uint64_t used_ = 0;
};

/// The program of `Env`, a domain with facts(), a solver and a formatter that takes FormatterOptions.
template <Enumerable Env>
class DomainProgramOf final : public ProgramOf<Env> {
  using Base = ProgramOf<Env>;

 public:
  DomainFacts facts() const override { return env_.facts(); }

  AnyLanguageModel make_oracle(bool hints) const override {
    return AnyLanguageModel(OracleModel<Env>(env_, formatter(hints)));
  }

  std::unique_ptr<QuestionReader> make_question_reader(bool hints) const override {
    return std::make_unique<QuestionReaderOf<Env, typename Base::Formatter>>(env_, formatter(hints));
  }

 private:
  const Env& env() const override { return env_; }
  std::vector<Env> environments(std::size_t count) const override { return std::vector<Env>(count, env_); }
  typename Base::Formatter formatter(bool hints) const override {
    return typename Base::Formatter(env_, {.hints = hints});
  }
  std::function<double(const typename Env::Observation&)> optimal_returns() const override {
    // Shared, since a copy of the function would solve anew.
    return [returns = std::make_shared<OptimalReturns<Env>>(env_, facts().evaluation_discount)](
               const typename Env::Observation& start) { return (*returns)(start); };
  }

  Env env_{};
};

}  // namespace icpi::program
