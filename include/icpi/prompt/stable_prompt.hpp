// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "icpi/core/prompt_text.hpp"
#include "icpi/core/random.hpp"
#include "icpi/prompt/example_sampler.hpp"
#include "icpi/prompt/rendered_transitions.hpp"

namespace icpi {

/// A prompt that only grows: new examples are appended, and each class gets as many as the largest, by repetition;
/// see ExampleSampler.
/// When it no longer fits it is drawn anew, smaller, under a new identity.
/// Thread-safety: const members may be called concurrently.
struct StablePrompt {
  std::uint64_t identity = 0;           ///< see PromptPrefix
  std::string text;                     ///< what it says
  std::vector<PromptExample> examples;  ///< in `text`

  /// This stands before all examples, in an empty prompt.
  void begin(std::string_view beginning) {
    text = beginning;
    beginning_ = beginning.size();
  }

  /// An empty prompt that comes later draws as if it had been there from the beginning, as `other` was.
  void join(const StablePrompt& other) noexcept {
    updates_ = other.updates_;
    seen_ = other.seen_;
  }

  /// Takes in the members of `classes` that arrived since it last did, once they are as many as AppendOnlyExamples::growth,
  /// `growth`, says. `room` in tokens; `key` belongs to this prompt alone. The cost grows with what is appended, not with
  /// the history.
  void update(const ExampleClasses& classes, bool balance, std::size_t room, double rebuild_fraction, double growth,
              const RenderedTransitions& rendered, QueryKind kind, RandomKey key, ExampleSampler& sampler) {
    RandomStream stream(key.child(updates_++));
    const bool known = align_counts(classes);
    const bool changed = std::exchange(balanced_, balance) != balance && !examples.empty();
    const std::size_t members = member_count(classes);
    const std::size_t gained = members - std::min(members, members_);
    if (known && !changed && (gained == 0 || static_cast<double>(gained) < growth * static_cast<double>(members_)))
      return;
    members_ = members;
    additions_.clear();
    std::size_t wanted = 0;  // of a termination; see ExampleSampler
    for (std::size_t i = 0; i < classes.classes().size(); ++i) {
      add_new_members(classes.classes()[i], counts_[i].count);
      wanted = std::max(wanted, counts_[i].count * classes.siblings(i));
    }
    seen_ = static_cast<TransitionId>(rendered.size());
    for (std::size_t i = 0; balance && i < classes.classes().size(); ++i) {
      const auto& alike = classes.classes()[i];
      for (; counts_[i].count < wanted / classes.siblings(i); ++counts_[i].count)
        additions_.push_back(alike[stream.index(alike.size)]);
    }
    stream.shuffle(std::span(additions_));
    if (!known || changed || !append(rendered, kind, room)) {
      rebuild(classes, balance, room, rebuild_fraction, rendered, kind, stream, sampler);
    }
  }

  /// Draws it anew from all members of `classes`, each as often as `draw` says: see AppendOnlyExamples::bootstrap.
  void redraw(const ExampleClasses& classes, bool balance, std::size_t room, double rebuild_fraction,
              const RenderedTransitions& rendered, QueryKind kind, RandomKey draw, ExampleSampler& sampler) {
    align_counts(classes);
    members_ = member_count(classes);
    seen_ = static_cast<TransitionId>(rendered.size());
    balanced_ = balance;
    draw_ = draw;
    RandomStream stream(draw.child(0));
    rebuild(classes, balance, room, rebuild_fraction, rendered, kind, stream, sampler);
  }

 private:
  struct ClassCount {
    double key = 0;
    bool terminated = false;
    std::size_t count = 0;
  };

  [[nodiscard]] static std::size_t member_count(const ExampleClasses& classes) noexcept {
    std::size_t count = 0;
    for (const auto& each : classes.classes()) count += each.size;
    return count;
  }

  /// Brings the counts into the order of `classes`; false when a class that was counted no longer exists.
  bool align_counts(const ExampleClasses& classes) {
    const auto now = classes.classes();
    for (std::size_t i = 0; i < now.size(); ++i) {
      std::size_t found = i;
      while (found < counts_.size() && !now[i].named(counts_[found].key, counts_[found].terminated)) ++found;
      if (found == counts_.size()) counts_.push_back({now[i].key, now[i].terminated, 0});
      std::swap(counts_[i], counts_[found]);
    }
    const bool known = counts_.size() == now.size();
    counts_.resize(now.size());
    return known;
  }

  void add_new_members(const ExampleClasses::Class& members, std::size_t& count) {
    for (const auto part : members.parts) {
      for (std::size_t left = part.size(); left > 0 && part[left - 1] >= seen_; --left, ++count) {
        additions_.push_back(part[left - 1]);
      }
    }
  }

  /// Appends all additions, or nothing when they do not fit.
  bool append(const RenderedTransitions& rendered, QueryKind kind, std::size_t room) {
    std::size_t tokens = tokens_;
    for (const auto id : additions_) tokens += rendered.piece(kind, id).tokens;
    if (tokens > room) return false;
    if (identity == 0) identity = new_prefix_identity();
    for (const auto id : additions_) rendered.append(rendered.piece(kind, id), text, examples);
    tokens_ = tokens;
    return true;
  }

  void rebuild(const ExampleClasses& classes, bool balance, std::size_t room, double fraction,
               const RenderedTransitions& rendered, QueryKind kind, RandomStream& stream, ExampleSampler& sampler) {
    const auto reduced = static_cast<std::size_t>(fraction * static_cast<double>(room));
    text.resize(beginning_);
    examples.clear();
    tokens_ = 0;
    identity = new_prefix_identity();
    for (auto& each : counts_) each.count = 0;
    sampler.start(classes, balance);
    while (const auto example = sampler.next(stream)) {
      const auto& piece = rendered.piece(kind, example->id);
      if (piece.tokens > reduced) continue;
      if (tokens_ + piece.tokens > reduced) break;
      for (int left = times(example->id); left > 0 && tokens_ + piece.tokens <= reduced; --left) {
        rendered.append(piece, text, examples);
        tokens_ += piece.tokens;
      }
      ++counts_[example->class_index].count;
    }
    if (examples.empty()) show_newest(classes, room, rendered, kind);
  }

  /// How often an example is shown.
  [[nodiscard]] int times(TransitionId id) const {
    if (!draw_) return 1;
    double left = RandomStream(draw_->child(1 + id)).uniform();
    int number = 0;
    for (double probability = std::exp(-1.0); left >= probability && number < most_times; probability /= ++number)
      left -= probability;
    return number;
  }

  /// No example is as small as a prompt that is drawn anew should be. One is better than none.
  void show_newest(const ExampleClasses& classes, std::size_t room, const RenderedTransitions& rendered,
                   QueryKind kind) {
    std::optional<ExampleSampler::Example> newest;
    for (std::size_t i = 0; i < classes.classes().size(); ++i)
      for (const auto part : classes.classes()[i].parts)
        for (const TransitionId id : part)
          if (rendered.piece(kind, id).tokens <= room && (!newest || id > newest->id)) newest = {id, i};
    if (!newest) return;
    rendered.append(rendered.piece(kind, newest->id), text, examples);
    tokens_ = rendered.piece(kind, newest->id).tokens;
    ++counts_[newest->class_index].count;
  }

  static constexpr int most_times = 20;

  std::optional<RandomKey> draw_;  ///< of the episode; none: every example once
  bool balanced_ = false;          ///< whether it was, when it was updated last
  std::size_t beginning_ = 0;      ///< bytes of `text` before its examples
  std::size_t tokens_ = 0;         ///< of the examples
  std::size_t members_ = 0;        ///< of all classes, when they were taken in last
  TransitionId seen_ = 0;
  std::uint64_t updates_ = 0;
  std::vector<ClassCount> counts_;
  std::vector<TransitionId> additions_;
};

}  // namespace icpi
