// SPDX-License-Identifier: MIT
#include "cell_order.hpp"

#include <algorithm>
#include <utility>

namespace icpi::llama {

CellOrder::CellOrder(std::size_t cells, std::size_t sequences, std::size_t keepers)
    : width_((cells + keepers - 1) / keepers), cells_of_(sequences), users_(cells), spent_of_(keepers) {}

void CellOrder::add(std::span<const BatchToken> batch) {
  if (cells_of_.empty()) return;
  for (const BatchToken& token : batch) {
    for (const Sequence each : token.sequences)
      cells_of_[static_cast<std::size_t>(each)].push_back(static_cast<std::uint32_t>(end_));
    tokens_ += token.sequences.size();
    if (in_order_) users_[end_++] = static_cast<std::uint16_t>(token.sequences.size());
  }
  top_ = end_;
}

void CellOrder::share(Sequence from, Sequence to, std::size_t count) {
  if (cells_of_.empty()) return;
  const auto& cells = cells_of_[static_cast<std::size_t>(from)];
  const auto end = cells.begin() + static_cast<std::ptrdiff_t>(count);
  cells_of_[static_cast<std::size_t>(to)].assign(cells.begin(), end);
  tokens_ += count;
  if (in_order_) std::for_each(cells.begin(), end, [this](std::uint32_t cell) { ++users_[cell]; });
}

std::vector<CellOrder::Kept> CellOrder::drop(Sequence sequence, std::size_t position) {
  std::vector<Kept> kept;
  if (cells_of_.empty()) return kept;
  auto& cells = cells_of_[static_cast<std::size_t>(sequence)];
  if (position >= cells.size()) return kept;
  tokens_ -= cells.size() - position;
  for (std::size_t at = position; in_order_ && at < cells.size(); ++at) {
    if (--users_[cells[at]] > 0) continue;
    const std::size_t band = cells[at] / width_;
    ++spent_of_[band];
    ++spent_;
    if (!kept.empty() && kept.back().to == at && kept.back().keeper == keeper(band)) {
      ++kept.back().to;
    } else {
      kept.push_back({at, at + 1, keeper(band)});
    }
  }
  cells.resize(position);
  return kept;
}

std::vector<Sequence> CellOrder::release() {
  std::vector<Sequence> freed;
  while (top_ > 0 && users_[top_ - 1] == 0) --top_;
  while (end_ > top_) {
    const std::size_t band = (end_ - 1) / width_;
    const std::size_t begin = std::max(band * width_, top_);
    if (spent_of_[band] != end_ - begin) break;  // it has others as well, below the top
    spent_ -= std::exchange(spent_of_[band], 0);
    freed.push_back(keeper(band));
    end_ = begin;
  }
  return freed;
}

std::vector<Sequence> CellOrder::give_up() {
  std::vector<Sequence> freed;
  for (std::size_t band = 0; band < spent_of_.size(); ++band)
    if (std::exchange(spent_of_[band], 0) > 0) freed.push_back(keeper(band));
  std::fill(users_.begin(), users_.end(), 0);
  spent_ = top_ = end_ = 0;
  in_order_ = false;
  return freed;
}

void CellOrder::clear() {
  for (auto& cells : cells_of_) cells.clear();
  std::fill(users_.begin(), users_.end(), 0);
  std::fill(spent_of_.begin(), spent_of_.end(), 0);
  spent_ = tokens_ = top_ = end_ = 0;
  in_order_ = true;
}

}  // namespace icpi::llama
