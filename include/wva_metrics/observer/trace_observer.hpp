// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/observer/events.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Records a collector's look-ups as lines `<seconds>,<key>` through the user's own function.
/// `benchmarks/hit_rate --trace` replays them with other settings.
///
/// - The seconds count from the construction of the observer, to the microsecond.
/// - The key is the cache's own, e.g. `allocation:prod/llama-a100`. A comma, quotation mark, control
///   character, or one that turns the direction of writing is percent-encoded (`%2C`), so every
///   line has exactly two fields.
/// - One line is written for each look-up answered from the cache, fresh or stale, and for each
///   collection that missed.
/// - No line is written if `find` returned empty and the caller did not collect then, or if the
///   last good value was served because the backend failed.
///
/// `Clock` must be steady; only tests replace the default.
///
/// **Threads:** `write(std::string_view line)` is called from any thread, several concurrently,
/// without any lock held. The line has no line break and is valid only during the call. Lines of
/// concurrent calls may be written out of order. Copies share the function and the time zero.
template <typename Write, typename Clock = std::chrono::steady_clock>
    requires std::invocable<Write&, std::string_view>
class TraceObserver {
public:
    /// Time zero is now.
    explicit TraceObserver(Write write) : impl_(std::make_shared<Impl>(std::move(write))) {}

    ///@{
    /// Writes one line.
    void operator()(const events::Hit& hit) { put(hit.key); }
    void operator()(const events::StaleHit& hit) { put(hit.key); }
    void operator()(const events::Miss& miss) { put(miss.key); }
    ///@}

private:
    struct Impl {
        explicit Impl(Write function) : write(std::move(function)) {}

        Write write;
        typename Clock::time_point zero = Clock::now();
    };

    void put(const CacheKeyView& key) {
        const std::chrono::duration<double> since = Clock::now() - impl_->zero;
        // Large enough for any number of seconds of a 64-bit clock.
        std::array<char, 32> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), since.count(),
                                       std::chars_format::fixed, 6);
        std::string line(digits.data(), end.ptr);
        line += ',';
        const std::string text = to_string(key);
        for (std::size_t i = 0, encoded = 0; i < text.size(); ++i) {
            const char c = text[i];
            if (encoded == 0)
                encoded = c == ',' || c == '"'
                              ? 1
                              : detail::invisible_control(std::string_view(text).substr(i));
            if (encoded == 0) {
                line += c;
                continue;
            }
            --encoded;
            const auto code = static_cast<unsigned char>(c);
            constexpr std::string_view hexadecimal = "0123456789ABCDEF";
            line += '%';
            line += hexadecimal[code >> 4U];
            line += hexadecimal[code & 0xFU];
        }
        impl_->write(std::string_view(line));
    }

    std::shared_ptr<Impl> impl_;
};

} // namespace wva_metrics
