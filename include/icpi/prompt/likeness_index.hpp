// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "icpi/concepts/query_kind.hpp"
#include "icpi/core/hash.hpp"
#include "icpi/prompt/alike_choice.hpp"
#include "icpi/prompt/rendered_transitions.hpp"
#include "icpi/prompt/text_parts.hpp"
#include "icpi/prompt/text_shapes.hpp"

namespace icpi {

/// The different examples of one kind of question, and which of them are most like a question. Equal examples are one
/// record. What it finds depends on the records alone, not on the order in which they came or on others that have left.
///
/// Records of a class are kept in three orders: by the shape of their question, from the left or from the right, and within
/// a shape along a Z-curve through the numbers, each time on another grid (Liao, Lopez, Leutenegger, "High dimensional
/// similarity search with space filling curves", ICDE 2001; compared as by Chan, "A minimalist's implementation of an
/// approximate nearest neighbor algorithm in fixed dimensions", 2006). The neighbours of a question in all of them are
/// looked at, so a question costs the logarithm of the records. Where there are few records of a class all are looked at.
/// Thread-safety: one object by one thread at a time. Pinned in memory.
class LikenessIndex {
 public:
  static constexpr std::size_t most_classes = 8;  ///< with more, rewards are continuous and make no classes
  static constexpr std::size_t reach = 16;        ///< neighbours to each side in an order, divided among the classes

  /// Of examples of this kind, whose texts are in `rendered`, which must outlive the index.
  LikenessIndex(const RenderedTransitions& rendered, QueryKind kind) : rendered_(&rendered), kind_(kind) {
    for (std::size_t number = 0; number < orders_.size(); ++number) orders_[number] = Order(Before{this, number});
  }
  LikenessIndex(const LikenessIndex&) = delete;
  LikenessIndex& operator=(const LikenessIndex&) = delete;

  /// Takes in the example of a transition. `answer_class` is what its class has in common.
  void add(TransitionId id, bool terminated, std::string_view answer_class) {
    ++version_;
    const std::uint64_t hash = detail::fnv1a(text(id));
    if (const std::uint32_t known = find(hash, text(id)); known != question_) {
      records_[known].ids.push_back(id);
      return;
    }
    parts_.read(rendered_->question(id));
    const std::uint32_t number = free_place();
    by_hash_.emplace(hash, number);
    records_[number] = {&shapes_.add(parts_), parts_.numbers, {id}, hash, add_class(answer_class), terminated};
    waiting_.push_back(number);
  }

  /// Lets the examples of transitions go that `holds(id)` denies. Their texts must still be there.
  template <class Holds>
  void forget(const Holds& holds) {
    const auto gone = [&](TransitionId id) { return !holds(id); };
    for (std::uint32_t number = question_ + 1; number < records_.size(); ++number) {
      std::vector<TransitionId>& ids = records_[number].ids;
      const auto leaving = static_cast<std::size_t>(std::count_if(ids.begin(), ids.end(), gone));
      if (leaving == 0) continue;
      ++version_;
      if (leaving == ids.size())
        remove(number);
      else
        std::erase_if(ids, gone);
    }
  }

  /// Replaces `found` by the records that may be most like the question, without an order: of each class the `count` most
  /// alike at least, as far as can be told.
  void find_alike(std::string_view question, std::size_t count, std::vector<AlikeRecord>& found) {
    settle();
    found.clear();
    parts_.read(question);
    Record& asked = records_[question_];
    asked.shape = &shapes_.find(parts_, unknown_);
    asked.numbers.assign(parts_.numbers.begin(), parts_.numbers.end());
    ++asked_;
    const std::size_t sides = std::max(count, reach / std::max<std::size_t>(1, few_ ? classes_.size() : 2));
    if (!few_) {
      for (const std::uint32_t terminated : {0U, 1U}) look_around(question, terminated, sides, found);
      return;
    }
    for (const auto& [name, each] : classes_) look_around(question, each.number, sides, found);
  }

  /// Above 0; as long as it stays, the same is found.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  /// Different examples.
  [[nodiscard]] std::size_t size() const noexcept { return by_hash_.size(); }

 private:
  struct Class {
    std::uint32_t number = 0;
    std::size_t records = 0;
  };
  using Classes = std::map<std::string, Class, std::less<>>;

  struct Record {
    const TextShape* shape = nullptr;
    std::vector<double> numbers;
    std::vector<TransitionId> ids;  ///< all that are equal
    std::uint64_t hash = 0;
    Classes::iterator answer_class;
    bool terminated = false;
    std::uint64_t seen = 0;  ///< the question for which it was found last
  };

  /// Of record numbers: one of the orders.
  struct Before {
    const LikenessIndex* index;
    std::size_t number;
    bool operator()(std::uint32_t left, std::uint32_t right) const { return index->before(number, left, right); }
  };
  using Order = std::set<std::uint32_t, Before>;

  static constexpr std::uint32_t question_ = 0;  ///< the record of what is asked; it has no transition

  [[nodiscard]] std::string_view text(TransitionId id) const { return rendered_->text(rendered_->piece(kind_, id)); }

  /// The record of this text; question_ if there is none.
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, std::string_view example) const {
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto each = first; each != last; ++each)
      if (text(records_[each->second].ids.front()) == example) return each->second;
    return question_;
  }

  [[nodiscard]] std::uint32_t free_place() {
    if (free_.empty()) {
      records_.emplace_back();
      return static_cast<std::uint32_t>(records_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  void remove(std::uint32_t number) {
    Record& record = records_[number];
    if (std::erase(waiting_, number) == 0)
      for (Order& order : orders_) order.erase(number);
    const auto [first, last] = by_hash_.equal_range(record.hash);
    by_hash_.erase(std::find_if(first, last, [&](const auto& each) { return each.second == number; }));
    if (--record.answer_class->second.records == 0) classes_.erase(record.answer_class);
    counted_ = shapes_.remove(*record.shape, record.numbers) && counted_;
    record = {};
    free_.push_back(number);
  }

  [[nodiscard]] Classes::iterator add_class(std::string_view name) {
    auto found = classes_.find(name);
    if (found == classes_.end()) found = classes_.emplace(name, Class{next_class_++, 0}).first;
    ++found->second.records;
    return found;
  }

  [[nodiscard]] std::uint32_t class_of(std::uint32_t number) const {
    if (number == question_) return asked_class_;
    const Record& record = records_[number];
    return few_ ? record.answer_class->second.number : record.terminated ? 1 : 0;
  }

  /// Of equal ones the question comes first.
  [[nodiscard]] bool before(std::size_t order, std::uint32_t left, std::uint32_t right) const {
    const std::uint32_t left_class = class_of(left);
    const std::uint32_t right_class = class_of(right);
    if (left_class != right_class) return left_class < right_class;
    const Record& one = records_[left];
    const Record& other = records_[right];
    if (one.shape != other.shape) return one.shape->before(*other.shape, order % 2 == 0);
    if (const int along = along_curve(order, one, other); along != 0) return along < 0;
    if (left == question_ || right == question_) return left == question_ && right != question_;
    if (one.hash != other.hash) return one.hash < other.hash;
    return left != right && text(one.ids.front()) < text(other.ids.front());
  }

  /// Which of two records of equal shape comes first along a Z-curve: below 0 the left one, 0 neither. The number whose
  /// lines differ in the highest bit decides.
  [[nodiscard]] static int along_curve(std::size_t order, const Record& left, const Record& right) {
    const double shift = static_cast<double>(order) / order_count;
    std::uint64_t highest = 0;
    int result = 0;
    for (std::size_t i = 0; i < left.numbers.size(); ++i) {
      const NumberRange& range = *left.shape->ranges[i];
      const std::uint64_t one = range.line(left.numbers[i], shift);
      const std::uint64_t other = range.line(right.numbers[i], shift);
      const std::uint64_t different = one ^ other;
      if (highest >= different || highest >= (highest ^ different)) continue;
      highest = different;
      result = one < other ? -1 : 1;
    }
    for (std::size_t i = 0; result == 0 && i < left.numbers.size(); ++i)
      if (left.numbers[i] != right.numbers[i]) result = left.numbers[i] < right.numbers[i] ? -1 : 1;
    return result;
  }

  /// Brings the orders up to date with what came and left. Units and classes are of what is there: where they change, all
  /// is put in order anew.
  void settle() {
    const bool few = classes_.size() <= most_classes;
    if (waiting_.empty() && counted_ && few == few_) return;
    const auto each_text = [this](const auto& take) {
      for (const Record& record : records_)
        if (!record.ids.empty()) take(*record.shape, record.numbers);
    };
    if (!counted_) shapes_.take_anew(each_text);
    counted_ = true;
    if (shapes_.settle() || few != few_) {
      few_ = few;
      for (Order& order : orders_) order.clear();
      waiting_.clear();
      for (std::uint32_t number = question_ + 1; number < records_.size(); ++number)
        if (!records_[number].ids.empty()) waiting_.push_back(number);
    }
    for (Order& order : orders_) order.insert(waiting_.begin(), waiting_.end());
    waiting_.clear();
  }

  void look_around(std::string_view question, std::uint32_t kind, std::size_t sides, std::vector<AlikeRecord>& found) {
    asked_class_ = kind;
    for (const Order& order : orders_) {
      const auto from = order.lower_bound(question_);
      auto up = from;
      for (std::size_t i = 0; i < sides && up != order.end() && class_of(*up) == kind; ++i, ++up)
        note(question, kind, *up, found);
      auto down = from;
      for (std::size_t i = 0; i < sides && down != order.begin() && class_of(*std::prev(down)) == kind; ++i)
        note(question, kind, *--down, found);
    }
  }

  void note(std::string_view question, std::uint32_t kind, std::uint32_t number, std::vector<AlikeRecord>& found) {
    Record& record = records_[number];
    if (std::exchange(record.seen, asked_) == asked_) return;
    const Record& asked = records_[question_];
    const TransitionId id = record.ids.front();
    const double cost = unlikeness(*asked.shape, asked.numbers, *record.shape, record.numbers);
    found.push_back({cost, record.hash, record.ids.size(), kind, rendered_->piece(kind_, id).tokens, id,
                     cost == 0 && rendered_->question(id) == question});
  }

  static constexpr std::size_t order_count = 3;

  const RenderedTransitions* rendered_;
  QueryKind kind_;
  TextShapes shapes_;
  TextShape unknown_;  ///< of the question, where no record has it
  TextParts parts_;
  Classes classes_;
  std::uint32_t next_class_ = 0;
  std::vector<Record> records_{1};
  std::vector<std::uint32_t> free_;  ///< of records_
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;
  std::array<Order, order_count> orders_;
  std::vector<std::uint32_t> waiting_;  ///< for being put in order
  std::uint64_t version_ = 1;
  std::uint64_t asked_ = 0;        ///< how many questions were
  std::uint32_t asked_class_ = 0;  ///< among which neighbours of the question are looked for
  bool counted_ = true;            ///< the ranges of numbers are those of what is there
  bool few_ = true;                ///< classes
};

}  // namespace icpi
