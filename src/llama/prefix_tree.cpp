// SPDX-License-Identifier: MIT
#include "prefix_tree.hpp"

#include <algorithm>
#include <utility>

namespace icpi::llama {

std::size_t common_tokens(std::span<const Token> a, std::span<const Token> b) noexcept {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

PrefixTree::PrefixTree(LoadedModel& model) : model_(&model) {
  for (std::size_t i = model.sequences(); i-- > 0;) free_sequences_.push_back(static_cast<Sequence>(i));
}

PrefixTree::Prefix* PrefixTree::find(std::uint64_t identity) {
  const auto found = by_identity_.find(identity);
  return found == by_identity_.end() ? nullptr : found->second;
}

PrefixTree::Match PrefixTree::longest(std::span<const Token> tokens, bool whole) {
  Match best;
  for (Prefix& each : prefixes_) {
    const std::size_t common = common_tokens(tokens, each.text.tokens);
    if (whole && common < each.text.tokens.size()) continue;
    const bool newer = best.prefix != nullptr && common == best.common && each.last_use > best.prefix->last_use;
    if (common > best.common || newer) best = {&each, common};
  }
  return best;
}

bool PrefixTree::make_room(std::size_t cells, std::size_t sequences) {
  while (used_ + cells > model_->cells() || free_sequences_.size() < sequences)
    if (!forget_oldest()) return false;
  const std::size_t spent = model_->spent_cells();
  if (spent == 0) return true;
  const std::size_t guesses = model_->cells() / 16;  // wrong ones are spent beside what was reserved
  return used_ + spent + cells + guesses <= model_->cells();
}

PrefixTree::Prefix& PrefixTree::add(TextTokens text, std::uint64_t identity, const Match& match) {
  Prefix& prefix = prefixes_.emplace_back();
  prefix.identity = identity;
  prefix.text = std::move(text);
  prefix.last_use = ++clock_;
  prefix.sequence = free_sequences_.back();
  free_sequences_.pop_back();
  if (match.prefix != nullptr) {
    prefix.shared = prefix.computed = std::min(match.common, match.prefix->computed);
    model_->share(match.prefix->sequence, prefix.sequence, prefix.shared);
    prefix.parent = match.prefix;
    ++match.prefix->children;
  }
  if (identity != 0) by_identity_[identity] = &prefix;
  use(prefix.text.tokens.size() - prefix.shared);
  return prefix;
}

void PrefixTree::replace_end(Prefix& prefix, TextTokens text, std::size_t keep) {
  if (keep < prefix.computed) {
    model_->forget(prefix.sequence, keep);
    prefix.computed = keep;
  }
  used_ -= prefix.text.tokens.size() - prefix.shared;
  prefix.shared = std::min(prefix.shared, keep);
  prefix.text = std::move(text);
  use(prefix.text.tokens.size() - prefix.shared);
}

void PrefixTree::disown(Prefix& prefix) {
  if (prefix.identity != 0) by_identity_.erase(prefix.identity);
  prefix.identity = 0;
}

void PrefixTree::pin(Prefix& prefix) {
  ++prefix.pins;
  for (Prefix* each = &prefix; each != nullptr; each = each->parent) each->last_use = ++clock_;
}

void PrefixTree::unpin(Prefix& prefix) {
  if (--prefix.pins > 0 || prefix.complete()) return;
  used_ -= prefix.text.tokens.size() - prefix.computed;
  prefix.text.tokens.resize(prefix.computed);
  disown(prefix);
}

std::vector<Sequence> PrefixTree::take(std::size_t sequences, std::size_t cells) {
  const auto first = free_sequences_.end() - static_cast<std::ptrdiff_t>(sequences);
  std::vector<Sequence> taken(first, free_sequences_.end());
  free_sequences_.erase(first, free_sequences_.end());
  use(cells);
  return taken;
}

void PrefixTree::give_back(std::span<const Sequence> sequences, std::size_t cells) {
  for (const Sequence each : sequences) {
    model_->forget(each, 0);
    free_sequences_.push_back(each);
  }
  used_ -= cells;
}

void PrefixTree::close_ranks() {
  if (model_->spent_cells() == 0 && model_->in_order()) return;
  std::vector<LoadedModel::Branch> branches;
  for (const Prefix& each : prefixes_)  // parents were there before
    branches.push_back(
        {each.sequence, each.parent == nullptr ? each.sequence : each.parent->sequence, each.shared, each.computed});
  if (!model_->move_together(branches)) forget_unused();
}

void PrefixTree::forget_unused() {
  while (forget_oldest()) continue;
}

bool PrefixTree::forget_oldest() {
  auto oldest = prefixes_.end();
  for (auto each = prefixes_.begin(); each != prefixes_.end(); ++each) {
    if (each->pins > 0 || each->children > 0) continue;
    if (oldest == prefixes_.end() || each->last_use < oldest->last_use) oldest = each;
  }
  if (oldest == prefixes_.end()) return false;
  forget(oldest);
  ++forgotten_;
  return true;
}

void PrefixTree::forget(std::list<Prefix>::iterator prefix) {
  disown(*prefix);
  if (prefix->parent != nullptr) --prefix->parent->children;
  give_back(std::span(&prefix->sequence, 1), prefix->text.tokens.size() - prefix->shared);
  prefixes_.erase(prefix);
}

void PrefixTree::use(std::size_t cells) {
  used_ += cells;
  most_used_bytes_ = std::max(most_used_bytes_, used_bytes());
}

std::uint64_t PrefixTree::used_bytes() const noexcept {
  const Capabilities& can = model_->capabilities();
  const std::size_t sequences = model_->sequences() - free_sequences_.size();
  return used_ * can.kv_bytes_per_token + sequences * can.state_bytes;
}

}  // namespace icpi::llama
