// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::exposition {

/// The bounds of one page. A page that exceeds one is rejected with `too_large`, and the message
/// names the bound. A page of an inference server has 40 to 100 kB, 700 samples and 60 families.
struct PageLimits {
    /// The bytes of a page, after decompression.
    std::size_t max_page_bytes = std::size_t{32} << 20;
    /// The bytes of a line of text, also if it is not wanted.
    std::size_t max_line_bytes = std::size_t{256} << 10;
    /// The bytes of a family in the protobuf format, also if it is not wanted.
    std::size_t max_family_bytes = std::size_t{8} << 20;
    /// The samples that are passed on.
    std::size_t max_samples = 500'000;
    /// The families that are remembered: those with a `# TYPE` line that are wanted.
    std::size_t max_families = 20'000;
    /// The labels of a sample.
    std::size_t max_labels = 128;
    /// The bytes of a metric's or a label's name.
    std::size_t max_name_bytes = 1024;
    /// The bytes of a label's value, without escapes.
    std::size_t max_label_value_bytes = std::size_t{16} << 10;
    /// The buckets, spans or quantiles of one histogram or summary. A server's native histogram has at
    /// most 160 buckets as a rule.
    std::size_t max_buckets = 20'000;
};

/// All problems of the limits, one sentence each; empty if they are valid: positive, sizes at most
/// 1 GiB, and numbers at most 100 million, so that they bound what a page may cost.
inline std::vector<std::string> validate(const PageLimits& limits) {
    constexpr std::size_t largest_size = std::size_t{1} << 30;
    constexpr std::size_t largest_number = 100'000'000;
    std::vector<std::string> problems;
    const auto check = [&](const char* name, std::size_t value, std::size_t largest,
                           const char* in_words) {
        if (value == 0)
            problems.push_back(std::string(name) + " must be positive");
        else if (value > largest)
            problems.push_back(std::string(name) + " must be at most " + in_words);
    };
    const auto check_size = [&](const char* name, std::size_t value) {
        check(name, value, largest_size, "1 GiB");
    };
    const auto check_number = [&](const char* name, std::size_t value) {
        check(name, value, largest_number, "100000000");
    };
    check_size("max_page_bytes", limits.max_page_bytes);
    check_size("max_line_bytes", limits.max_line_bytes);
    check_size("max_family_bytes", limits.max_family_bytes);
    check_number("max_samples", limits.max_samples);
    check_number("max_families", limits.max_families);
    check_number("max_labels", limits.max_labels);
    check_size("max_name_bytes", limits.max_name_bytes);
    check_size("max_label_value_bytes", limits.max_label_value_bytes);
    check_number("max_buckets", limits.max_buckets);
    return problems;
}

} // namespace wva_metrics::exposition
