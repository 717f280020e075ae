// SPDX-License-Identifier: Apache-2.0
//
// How fast pages of metrics are read: whole pages with all labels, and the families that are wanted.
// `--write-pages=DIRECTORY` writes the pages, for peers in other languages.
#include <wva_metrics/exposition/conformance_checker.hpp>
#include <wva_metrics/exposition/text_parser.hpp>

#include "support/allocations.hpp"
#include "support/fleet_pages.hpp"
#include "support/measurement.hpp"
#include "support/vllm_page.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;

namespace {

/// Looks at everything of each sample.
struct Checksum {
    std::uint64_t samples = 0;
    std::uint64_t sum = 0;

    void operator()(const exposition::PageSample& sample) {
        ++samples;
        sum = sum * 31 + sample.name.size() + sample.family.size() +
              std::bit_cast<std::uint64_t>(sample.value);
        for (const LabelView& label : sample.labels)
            sum =
                sum * 31 + label.name.size() * 256 + static_cast<unsigned char>(label.value.back());
    }
};

/// Microseconds of CPU time for one call, by calling it for a while.
double microseconds_each(const bench::Options& options, const std::function<void()>& call) {
    const std::size_t count = options.pick<std::size_t>(8'000, 2'000, 1);
    call();
    const double start = bench::cpu_seconds();
    for (std::size_t i = 0; i < count; ++i)
        call();
    return (bench::cpu_seconds() - start) * 1e6 / static_cast<double>(count);
}

struct Parse {
    Checksum checksum{};
    double microseconds = 0;
    double allocations = 0; ///< Of a page after the first.
};

Parse measure_parse(const bench::Options& options, const std::string& page,
                    const exposition::WantedMetrics& wanted) {
    exposition::TextParser parser(exposition::TextFormat::prometheus_0_0_4, wanted);
    Parse result;
    const auto parse = [&] {
        result.checksum = {};
        parser.restart();
        bench::require(parser.feed(page, result.checksum).has_value() &&
                           parser.finish(result.checksum).has_value(),
                       "the page is refused");
    };
    result.microseconds = microseconds_each(options, parse);
    const std::uint64_t before = bench::allocations;
    parse();
    result.allocations = static_cast<double>(bench::allocations - before);
    return result;
}

/// How many samples of the page have one of these names.
std::uint64_t count_samples(std::string_view page, const std::vector<std::string>& names) {
    std::uint64_t found = 0;
    while (!page.empty()) {
        const std::string_view name = page.substr(0, page.find_first_of("{ \n"));
        if (std::find(names.begin(), names.end(), name) != names.end())
            ++found;
        page.remove_prefix(std::min(page.find('\n'), page.size() - 1) + 1);
    }
    return found;
}

/// Measures one page. Returns the allocations when the parser is reused.
double measure_page(const bench::Options& options, const bench::MeasuredPage& measured) {
    const std::string& page = measured.text;
    bench::require(!exposition::find_problem(page, exposition::TextFormat::prometheus_0_0_4),
                   "the page does not conform");
    const std::string work =
        measured.what + ", " + std::to_string((page.size() + 500) / 1000) + " kB";
    std::string copy(page.size(), '\0');
    const double memcpy_microseconds = microseconds_each(options, [&] {
        std::memcpy(copy.data(), page.data(), page.size());
        bench::keep(copy.data());
    });
    const Parse whole = measure_parse(options, page, {});
    const Parse part =
        measure_parse(options, page, exposition::WantedMetrics(measured.wanted_names));
    bench::require(whole.checksum.samples > 200, "too few samples");
    bench::require(part.checksum.samples == count_samples(page, measured.wanted_names) &&
                       part.checksum.samples >= measured.wanted_names.size(),
                   "another number of wanted samples");

    const double bytes = static_cast<double>(page.size());
    const bench::Row whole_row("page, all samples", work, "MB/s", bench::Better::more);
    whole_row.ours(bytes / whole.microseconds);
    whole_row.peer("memcpy", bytes / memcpy_microseconds);
    whole_row.target_over("expfmt", 40);
    const bench::Row part_row("page, " + std::to_string(measured.wanted_families) +
                                  " wanted families",
                              work, "us", bench::Better::less);
    part_row.ours(part.microseconds);
    part_row.peer("memcpy", memcpy_microseconds, 0.2);
    part_row.target_over("expfmt", 150);
    return whole.allocations + part.allocations;
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<bench::MeasuredPage> pages = bench::measured_pages();
    std::string written_to;
    const bench::Options options = bench::parse_options(
        count, arguments,
        {"How fast pages of metrics are read, whole or the wanted families only.",
         "  --write-pages=DIRECTORY  writes the pages that are read, and ends\n"},
        [&](std::string_view argument) {
            constexpr std::string_view write = "--write-pages=";
            if (argument.starts_with(write))
                written_to = argument.substr(write.size());
            return argument.starts_with(write);
        });
    if (!written_to.empty()) {
        bool is_written = true;
        for (std::size_t i = 0; i < pages.size(); ++i) {
            std::ofstream file(written_to + "/page_" + std::to_string(i + 1) + ".txt");
            is_written = is_written && static_cast<bool>(file << pages[i].text << std::flush);
        }
        return is_written ? 0 : 1;
    }

    double allocations = 0;
    for (const bench::MeasuredPage& page : pages)
        allocations += measure_page(options, page);
    const bench::Row allocated("page, all samples", "parser is reused", "allocations",
                               bench::Better::less);
    allocated.ours(allocations);
    allocated.target_at_most(0);
}
