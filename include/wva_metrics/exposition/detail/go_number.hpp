// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace wva_metrics::exposition::detail {

/// A number as servers in Go write it in the labels `le` and `quantile` of Prometheus' text: `0.005`,
/// `1`, `1e+06`, `+Inf`.
class GoNumber {
public:
    explicit GoNumber(double number) noexcept { write(number); }

    std::string_view text() const noexcept { return {text_.data(), size_}; }

private:
    void write(double number) noexcept {
        if (std::isnan(number))
            return append("NaN");
        if (std::isinf(number))
            return append(number > 0 ? "+Inf" : "-Inf");
        std::array<char, 32> buffer{};
        const std::to_chars_result written = std::to_chars(
            buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
        const std::string_view text(buffer.data(),
                                    static_cast<std::size_t>(written.ptr - buffer.data()));
        const std::size_t e = text.find('e');
        int exponent = 0;
        const std::size_t digits_of_exponent = e + (text[e + 1] == '+' ? 2 : 1);
        std::from_chars(text.data() + digits_of_exponent, text.data() + text.size(), exponent);
        // Where Go changes to the form with an exponent.
        if (exponent < -4 || exponent >= 6)
            return append(text);
        const std::to_chars_result fixed = std::to_chars(
            buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
        append({buffer.data(), static_cast<std::size_t>(fixed.ptr - buffer.data())});
    }

    void append(std::string_view text) noexcept { size_ = text.copy(text_.data(), text_.size()); }

    std::array<char, 40> text_{};
    std::size_t size_ = 0;
};

} // namespace wva_metrics::exposition::detail
