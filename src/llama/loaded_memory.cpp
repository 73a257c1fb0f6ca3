// SPDX-License-Identifier: MIT
// The memory of a loaded model, and computing in it.
#include <algorithm>
#include <exception>
#include <vector>

#include "library_handles.hpp"

namespace icpi::llama {

void LoadedModel::share(Sequence from, Sequence to, std::size_t count) {
  if (count == 0) return;
  llama_memory_seq_cp(handles_->memory, from, to, 0, static_cast<llama_pos>(count));
  order_.share(from, to, count);
}

void LoadedModel::forget(Sequence sequence, std::size_t position) {
  const bool was_empty = order_.empty();
  for (const CellOrder::Kept& kept : order_.drop(sequence, position))
    llama_memory_seq_cp(handles_->memory, sequence, kept.keeper, static_cast<llama_pos>(kept.from),
                        static_cast<llama_pos>(kept.to));
  llama_memory_seq_rm(handles_->memory, sequence, static_cast<llama_pos>(position), -1);
  free(order_.release());
  if (!was_empty && order_.empty()) forget_all();
}

void LoadedModel::free(std::span<const Sequence> keepers) {
  for (const Sequence each : keepers) llama_memory_seq_rm(handles_->memory, each, -1, -1);
}

void LoadedModel::forget_all() {
  llama_memory_clear(handles_->memory, false);
  order_.clear();
}

bool LoadedModel::move_together(std::span<const Branch> branches) {
  llama_context* context = handles_->context.get();
  const llama_memory_t memory = handles_->memory;
  struct Piece {
    Sequence sequence;
    llama_pos from;
    llama_pos to;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Piece> pieces;
  for (const Branch& each : branches) {
    // What is stored is stored in the order of cells, which is that of tokens or not known.
    const std::size_t size = in_order() ? std::max<std::size_t>(each.size - each.shared, 1) : 1;
    for (std::size_t from = each.shared; from < each.size; from += size) {
      Piece& piece = pieces.emplace_back(
          Piece{each.sequence, static_cast<llama_pos>(from), static_cast<llama_pos>(from + size), {}});
      llama_memory_seq_cp(memory, each.sequence, company_, piece.from, piece.to);
      piece.bytes.resize(llama_state_seq_get_size(context, company_));
      piece.bytes.resize(llama_state_seq_get_data(context, piece.bytes.data(), piece.bytes.size(), company_));
      llama_memory_seq_rm(memory, company_, -1, -1);
    }
  }
  forget_all();
  auto piece = pieces.begin();
  for (const Branch& each : branches) {
    share(each.parent, each.sequence, each.shared);
    for (; piece != pieces.end() && piece->sequence == each.sequence; ++piece) {
      if (llama_state_seq_set_data(context, piece->bytes.data(), piece->bytes.size(), company_) == 0) {
        forget_all();
        return false;
      }
      llama_memory_seq_cp(memory, company_, each.sequence, piece->from, piece->to);
      llama_memory_seq_rm(memory, company_, -1, -1);
    }
    order_.add(std::vector<BatchToken>(each.size - each.shared, {0, 0, {&each.sequence, 1}, false}));
  }
  return true;
}

/// Tokens that are computed beside others so that logits do not depend on how many are computed together. A token alone gets
/// company: ggml splits its attention between its threads and sums up in another order than that of several. Weights that
/// ggml repacks are multiplied with groups of four tokens by other means than with what is left of them, and a single group by
/// others than several: there all are groups, two at least.
std::size_t LoadedModel::company_of(std::size_t count) const noexcept {
  const std::size_t groups = std::max((count + group_ - 1) / group_, std::size_t{2}) * group_;
  return std::max<std::size_t>(groups <= batch_tokens_ ? groups : count, 2) - count;
}

LoadedModel::Outcome LoadedModel::compute(std::span<const BatchToken> batch) {
  Outcome outcome = decode_in_company(batch);
  if (outcome == Outcome::no_room && order_.spent() > 0) {
    free(order_.give_up());
    ++disorders_;
    outcome = decode_in_company(batch);
  }
  if (outcome == Outcome::done) order_.add(batch);
  return outcome;
}

LoadedModel::Outcome LoadedModel::decode_in_company(std::span<const BatchToken> batch) {
  const std::size_t company = company_of(batch.size());
  if (company == 0) return decode(batch, 0);
  const Outcome outcome = decode(batch, company);
  if (outcome == Outcome::no_room) return decode(batch, 0);
  llama_memory_seq_rm(handles_->memory, company_, -1, -1);
  return outcome;
}

LoadedModel::Outcome LoadedModel::decode(std::span<const BatchToken> batch, std::size_t company) {
  Handles& h = *handles_;
  h.tokens.clear();
  h.positions.clear();
  h.sequences.clear();
  h.sequence_counts.clear();
  h.sequence_lists.clear();
  h.outputs.clear();
  for (const BatchToken& each : batch) {
    h.tokens.push_back(each.token);
    h.positions.push_back(each.position);
    h.sequences.insert(h.sequences.end(), each.sequences.begin(), each.sequences.end());
    h.sequence_counts.push_back(static_cast<int32_t>(each.sequences.size()));
    h.outputs.push_back(each.output ? 1 : 0);
  }
  for (std::size_t i = 0; i < company; ++i) {
    h.tokens.push_back(batch.front().token);
    h.positions.push_back(static_cast<llama_pos>(i));
    h.sequences.push_back(company_);
    h.sequence_counts.push_back(1);
    h.outputs.push_back(0);
  }
  llama_seq_id* next = h.sequences.data();
  for (const int32_t count : h.sequence_counts) {
    h.sequence_lists.push_back(next);
    next += count;
  }
  const llama_batch whole{static_cast<int32_t>(h.tokens.size()),
                          h.tokens.data(),
                          nullptr,
                          h.positions.data(),
                          h.sequence_counts.data(),
                          h.sequence_lists.data(),
                          h.outputs.data()};
  try {
    const int32_t result = llama_decode(h.context.get(), whole);
    return result == 0 ? Outcome::done : result == 1 ? Outcome::no_room : Outcome::failed;
  } catch (const std::exception&) {
    return Outcome::failed;
  }
}

std::span<const float> LoadedModel::logits(std::size_t index) const {
  const float* row = llama_get_logits_ith(handles_->context.get(), static_cast<int32_t>(index));
  return {row, row == nullptr ? 0 : capabilities_.vocabulary};
}

}  // namespace icpi::llama
