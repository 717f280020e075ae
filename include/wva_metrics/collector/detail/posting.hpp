// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/post.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Tries an action up to three times, because what is not posted is lost, and memory may be short for
/// a moment only. Returns whether an attempt did not throw.
template <typename Action>
bool succeeds_in_three(const Action& action) noexcept {
    for (int attempt = 0; attempt < 3; ++attempt) {
        try {
            action();
            return true;
        } catch (...) { // The next attempt, or false.
        }
    }
    return false;
}

/// Posts a function to a strand; if that throws, the function is destroyed. Asio's strand would keep
/// a function that its executor did not take, and all that the function holds, and never run it.
template <typename Strand, typename Function>
void post_to_strand(const Strand& strand, Function function) {
    const auto held = std::make_shared<std::optional<Function>>(std::move(function));
    try {
        asio::post(strand, [held] {
            Function own = *std::move(*held);
            held->reset();
            own();
        });
    } catch (...) {
        held->reset();
        throw;
    }
}

} // namespace wva_metrics::detail
