// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/observer/observer.hpp"
#include "wva_metrics/reading.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Writes when a collector was asked for what, as lines `<seconds>,<key>` through the user's own
/// function: `benchmarks/hit_rate --trace` replays them under other settings.
///
/// The seconds are since the observer was made, to the microsecond. The key is the cache's own,
/// e.g. `allocation:prod/llama-a100`; a comma, quotation mark or control character in it is written
/// `%2C` and so on, so that a line has two fields whatever things are called.
///
/// A line is written for every look-up that was answered from the cache, fresh or stale, and for
/// every collection that was not. So it leaves out look-ups without waiting that found nothing,
/// unless the caller collected then, and those that the last good value answered while the backend
/// failed.
///
/// `write(std::string_view line)` is called from any thread, several at once, with no lock held;
/// the line has no line break and is valid during the call. Lines of several threads may come out
/// of order by the time that a call takes. Copies share the function and the moment zero.
///
/// `Clock` is a steady one; another than `std::chrono::steady_clock` is for tests.
template <typename Write, typename Clock = std::chrono::steady_clock>
    requires std::invocable<Write&, std::string_view>
class TraceObserver : public NullObserver {
public:
    /// Moment zero is now.
    explicit TraceObserver(Write write) : state_(std::make_shared<State>(std::move(write))) {}

    ///@{
    /// One of the hooks of `NullObserver`, written as a line.
    void on_hit(const LookupEvent& event) { put(event.key); }
    void on_stale_hit(const LookupEvent& event) { put(event.key); }
    void on_miss(const LookupEvent& event) { put(event.key); }
    ///@}

private:
    struct State {
        explicit State(Write function) : write(std::move(function)) {}

        Write write;
        typename Clock::time_point zero = Clock::now();
    };

    void put(const CacheKeyView& key) {
        const std::chrono::duration<double> since = Clock::now() - state_->zero;
        // Room for any number of seconds that a clock of 64 bits counts.
        std::array<char, 32> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), since.count(),
                                       std::chars_format::fixed, 6);
        std::string line(digits.data(), end.ptr);
        line += ',';
        for (const char c : to_string(key)) {
            const auto code = static_cast<unsigned char>(c);
            if (code >= 0x20 && code != 0x7f && c != ',' && c != '"') {
                line += c;
                continue;
            }
            constexpr std::string_view hexadecimal = "0123456789ABCDEF";
            line += '%';
            line += hexadecimal[code >> 4U];
            line += hexadecimal[code & 0xFU];
        }
        state_->write(std::string_view(line));
    }

    std::shared_ptr<State> state_;
};

} // namespace wva_metrics
