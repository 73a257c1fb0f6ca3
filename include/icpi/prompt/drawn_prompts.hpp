// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/concepts/query_kind.hpp"
#include "icpi/concepts/replay_buffer.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/example_sampler.hpp"
#include "icpi/prompt/prompt_options.hpp"
#include "icpi/prompt/prompt_slots.hpp"
#include "icpi/prompt/prompt_source.hpp"
#include "icpi/prompt/prompt_writer.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/shown_trajectories.hpp"
#include "icpi/prompt/trajectory_parts.hpp"

namespace icpi {

/// Working memory for writing prompts; one per thread.
struct PromptScratch {
  ExampleClasses classes;            ///< what may be shown
  ExampleSampler sampler;            ///< draws from it
  SparsePermutation permutation;     ///< draws sub-trajectories
  std::vector<TransitionIds> shown;  ///< trajectories that policy prompts draw from
  PromptWriter prompt;               ///< that was written last
};

/// The half of PromptBook that finds what qualifies for a prompt, and writes prompts that are drawn from it.
/// Thread-safety: const members may be called concurrently, each thread with its own scratch.
class DrawnPrompts {
 public:
  DrawnPrompts(const DrawnPrompts&) = delete;
  DrawnPrompts& operator=(const DrawnPrompts&) = delete;

  /// Appends a freshly drawn prompt without its query to `out`, and says in `scratch` where its examples stand. On the
  /// agent's own thread: it looks things up.
  void write(QueryKind kind, std::size_t action, bool terminated, RandomStream& stream, PromptScratch& scratch,
             std::string& out) const {
    scratch.prompt.clear();
    if (kind == QueryKind::action) {
      shown_.find(*source_, scratch.shown);
      write_trajectories(scratch.shown, stream, scratch, scratch.prompt);
    } else {
      collect(kind, action, terminated, scratch.classes);
      write_examples(kind, scratch.classes, stream, scratch, scratch.prompt);
    }
    out.append(scratch.prompt.text());
  }

  /// Looks up, for write_looked_up() on any thread, what a prompt of this kind may show. Once for each kind after
  /// forget_look_ups(), which comes first whenever the buffer may have changed.
  void look_up(QueryKind kind, std::size_t action, bool terminated) {
    auto& found = kind == QueryKind::action ? shown_looked_up_ : looked_up_[slots_(kind, action, terminated)].done;
    if (std::exchange(found, true)) return;
    if (kind == QueryKind::action) return shown_.find(*source_, shown_now_);
    collect(kind, action, terminated, looked_up_[slots_(kind, action, terminated)].classes);
  }
  /// What look_up() found is of yesterday.
  void forget_look_ups() noexcept {
    shown_looked_up_ = false;
    for (auto& each : looked_up_) each.done = false;
  }
  /// write() for what look_up() has found, into an empty `out`. No user code is called.
  void write_looked_up(QueryKind kind, std::size_t action, bool terminated, RandomStream& stream,
                       PromptScratch& scratch, PromptWriter& out) const {
    if (kind == QueryKind::action) return write_trajectories(shown_now_, stream, scratch, out);
    write_examples(kind, looked_up_[slots_(kind, action, terminated)].classes, stream, scratch, out);
  }

  /// Appends the query that follows a prompt: the observation's lines, with the action's or the episode start.
  void write_query(QueryKind kind, std::string_view observation, std::size_t action, std::string& out) const {
    if (kind == QueryKind::action) out.append(start_);
    out.append(observation);
    if (kind != QueryKind::action) out.append(texts_.actions[action]);
  }
  /// Where in such a query the question begins: after the blank line that ends a trajectory.
  [[nodiscard]] static constexpr std::size_t question_in_query(QueryKind kind) noexcept {
    return kind == QueryKind::action ? 1 : 0;
  }

  /// How many trajectories policy prompts show.
  [[nodiscard]] std::size_t shown_trajectories() const noexcept { return shown_.size(); }
  /// How many actions the environment has.
  [[nodiscard]] std::size_t action_count() const noexcept { return texts_.actions.size(); }
  /// How prompts are made.
  [[nodiscard]] const PromptOptions& options() const noexcept { return options_; }
  /// What writes, reads and remembers.
  [[nodiscard]] const PromptSource& source() const noexcept { return *source_; }
  /// Whether one question asks for termination, reward and next observation.
  [[nodiscard]] bool whole_transitions() const noexcept {
    return options_.transition_questions == TransitionQuestions::whole;
  }

 protected:
  /// See PromptBook.
  DrawnPrompts(const PromptSource& source, ConstantTexts texts, PromptOptions options, TokenCounter count_tokens)
      : source_(&source),
        texts_(std::move(texts)),
        options_(std::move(options)),
        slots_{options_.constraints},
        rendered_(std::move(count_tokens), whole_transitions()) {}
  ~DrawnPrompts() = default;

  /// Tokens left for examples.
  [[nodiscard]] std::size_t room() const {
    const std::size_t query = rendered_.longest_query() + start_tokens_ + task_tokens_;
    return options_.context_tokens > query ? options_.context_tokens - query : 0;
  }

  /// The transitions that a prompt of this kind may show.
  void collect(QueryKind kind, std::size_t action, bool terminated, ExampleClasses& classes) const {
    classes.clear();
    const std::size_t first = options_.constraints ? action : 0;
    const std::size_t last = options_.constraints ? action + 1 : action_count();
    for (std::size_t each = first; each < last; ++each) {
      for (const bool ended : {false, true}) {
        if (!slots_.qualifies(kind, terminated, ended)) continue;
        if (kind == QueryKind::termination || kind == QueryKind::observation) {
          classes.add(kind == QueryKind::termination && ended ? 1 : 0, source_->matching(each, ended));
        } else {
          for (const auto& rewards : source_->reward_classes(each, ended))
            classes.add(rewards.reward, rewards.members, kind == QueryKind::transition && ended);
        }
      }
    }
  }

  /// Whether examples of the smaller classes are repeated.
  [[nodiscard]] bool balances(QueryKind kind) const noexcept { return balance_ && kind != QueryKind::observation; }

  const PromptSource* source_;
  ConstantTexts texts_;
  PromptOptions options_;
  PromptSlots slots_;
  RenderedTransitions rendered_;
  bool balance_ = true;
  std::string start_;
  std::size_t start_tokens_ = 0;
  std::string task_;  ///< what every prompt begins with
  std::size_t task_tokens_ = 0;
  ShownTrajectories shown_;

  /// Examples that a look-up found.
  struct LookUp {
    ExampleClasses classes;
    bool done = false;
  };
  std::vector<LookUp> looked_up_;  ///< by slot

 private:
  /// The loop in which prompts take their time. Not inlined: among its callers' variables it takes a tenth more
  /// instructions.
  [[gnu::noinline]] void write_examples(QueryKind kind, const ExampleClasses& classes, RandomStream& stream,
                                        PromptScratch& scratch, PromptWriter& out) const {
    out.add(task_);
    scratch.sampler.start(classes, balances(kind));
    const std::size_t all = room();
    std::size_t left = all;
    while (const auto example = scratch.sampler.next(stream)) {
      const auto& piece = rendered_.piece(kind, example->id);
      if (piece.tokens > all) continue;
      if (piece.tokens > left) break;
      left -= piece.tokens;
      rendered_.append(piece, out);
    }
  }

  void write_trajectories(std::span<const TransitionIds> shown, RandomStream& stream, PromptScratch& scratch,
                          PromptWriter& out) const {
    out.add(std::string_view(task_).substr(0, task_.size() - (task_.empty() ? 0 : 1)));  // parts bring the blank line
    const std::size_t all = room();
    const TrajectoryParts parts(shown, all);
    scratch.permutation.start(parts.count());
    std::size_t left = all;
    while (scratch.permutation.left() > 0) {
      const auto part = parts[scratch.permutation.draw(stream)];
      std::size_t tokens = start_tokens_;
      for (const TransitionId id : part) tokens += rendered_.piece(QueryKind::action, id).tokens;
      if (tokens > all) continue;
      if (tokens > left) break;
      left -= tokens;
      write_part(part, out);
    }
  }

  /// The examples of a trajectory follow each other without a gap: what a step tells after its action belongs to the
  /// next question.
  void write_part(TransitionIds part, PromptWriter& out) const {
    std::uint32_t begin = out.size() + 1;  // after the blank line
    out.add(start_);
    for (const TransitionId id : part) {
      const auto& piece = rendered_.piece(QueryKind::action, id);
      const std::uint32_t at = out.size();
      out.add(rendered_.text(piece));
      if (piece.answer_end == 0) continue;
      out.mark({begin, at + piece.answer, at + piece.answer_end});
      begin = at + piece.answer_end;
    }
  }

  std::vector<TransitionIds> shown_now_;
  bool shown_looked_up_ = false;
};

}  // namespace icpi
