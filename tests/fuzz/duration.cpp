// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/parse_duration.hpp"
#include "wva_metrics/testing/detail/promql/literals.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// The value of a text that `parse_duration` accepts, in seconds, approximately.
double seconds_of(const std::string& text) {
    const bool is_negative = text.front() == '-';
    std::string_view rest = text;
    if (is_negative || rest.front() == '+')
        rest.remove_prefix(1);
    double total = 0;
    while (!rest.empty() && rest != "0") {
        const std::size_t number = rest.find_first_not_of("0123456789.");
        const std::size_t unit = rest.find_first_of("0123456789.", number);
        const std::string_view name = rest.substr(number, unit - number);
        const double factor = name == "h"    ? 3600
                              : name == "m"  ? 60
                              : name == "s"  ? 1
                              : name == "ms" ? 1e-3
                              : name == "ns" ? 1e-9
                                             : 1e-6;
        total += std::strtod(std::string(rest.substr(0, number)).c_str(), nullptr) * factor;
        rest.remove_prefix(std::min(unit, rest.size()));
    }
    return is_negative ? -total : total;
}

/// A duration is rejected, or has the value that a simple reader finds, and survives being written
/// and read: in Go's notation exactly, in PromQL's rounded up to a millisecond.
void fuzz_duration(std::string_view bytes) {
    const Result<Duration> read = parse_duration(bytes);
    if (!read)
        return expect_explained(read.error(), {Errc::invalid_argument});
    const double seconds = std::chrono::duration<double>(*read).count();
    const double model = seconds_of(std::string(bytes));
    expect(std::abs(seconds - model) <= 1e-6 + std::abs(model) * 1e-9, "another value");

    const std::string text = format_duration(*read);
    expect_clean(text, 40, "a duration");
    const Result<Duration> again = parse_duration(text);
    expect(again.has_value() && *again == *read, "it reads otherwise when written: " + text);

    if (*read < Duration::zero())
        return;
    const std::string range = promql::format_duration(*read);
    const std::optional<testing::detail::Milliseconds> milliseconds =
        testing::detail::parse_duration(range);
    expect(milliseconds.has_value(), "not a range of PromQL: " + range);
    const auto exact = std::chrono::ceil<std::chrono::milliseconds>(*read).count();
    expect(*milliseconds == exact, "another range in PromQL: " + range);
}

const RegisteredTarget duration_target("duration", &fuzz_duration);

} // namespace
} // namespace wva_metrics::fuzz
