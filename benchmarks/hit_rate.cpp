// SPDX-License-Identifier: Apache-2.0
//
// Simulates a reconcile loop with a cache and background fetching, in virtual time.
#include "hit_rate/plots.hpp"
#include "hit_rate/points.hpp"
#include "hit_rate/print.hpp"
#include "hit_rate/sections.hpp"
#include "hit_rate/simulation.hpp"
#include "hit_rate/workload.hpp"
#include "report/number.hpp"
#include "support/measurement.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace hit_rate;
using bench::report::readable;

namespace {

constexpr bench::Help help{
    "Simulates a reconcile loop with a cache and background fetching, in virtual time. Reports "
    "how\n"
    "often a look-up hits, how old the served values are, how often the backend is queried, and "
    "how\n"
    "much memory the cache takes. Without lists it simulates the usual settings; with lists, all\n"
    "combinations of their values: hit_rate --reconcile 5,30 --ttl 30,60",
    "  --reconcile S,...   seconds between two look-ups of a variant\n"
    "  --variants N,...    number of variants\n"
    "  --churn PERCENT,... part of the variants that is replaced per hour\n"
    "  --ttl S,...         the cache's TTL in seconds\n"
    "  --revalidate S,...  stale_while_revalidate in seconds\n"
    "  --fetch S,...       seconds between background fetches; 0: none\n"
    "  --cache memory|sharded|none,...\n"
    "  --entries N,...     the most entries in the cache\n"
    "  --trace FILE        replays a file that a TraceObserver wrote, instead of the simulation\n"
    "  --plots FOLDER      writes pictures into the folder\n"};

struct Arguments {
    bench::Options options;
    std::string plots;
    std::string trace;
    std::vector<std::pair<std::string, std::string>> lists;
};

Arguments parse(int count, char** words) {
    Arguments arguments;
    std::string pending;
    arguments.options = bench::parse_options(count, words, help, [&](std::string_view word) {
        if (pending.empty()) {
            Point any;
            if (word != "--plots" && word != "--trace" && !set(any, word, "0"))
                return false;
            pending = word;
            return true;
        }
        if (pending == "--plots")
            arguments.plots = word;
        else if (pending == "--trace")
            arguments.trace = word;
        else
            arguments.lists.emplace_back(pending, word);
        pending.clear();
        return true;
    });
    if (!pending.empty())
        throw std::runtime_error(pending + " needs a value");
    return arguments;
}

void run(const Arguments& arguments) {
    const Seconds length = arguments.options.pick(Seconds(1800), Seconds(600), Seconds(120));
    std::optional<Workload> trace;
    if (!arguments.trace.empty()) {
        std::ifstream file(arguments.trace);
        if (!file)
            throw std::runtime_error("cannot read " + arguments.trace);
        trace = read_trace(file);
    }
    std::vector<Section> sections;
    if (!arguments.lists.empty())
        sections = {combinations(arguments.lists)};
    else if (trace)
        sections = {{"trace", "settings", {{arguments.trace, three_ways(base())}}}};
    else
        sections = usual_sections();

    const std::string what = trace
                                 ? arguments.trace + ": " + std::to_string(trace->lookups.size()) +
                                       " look-ups of " + std::to_string(trace->names.size()) +
                                       " keys in " + readable(trace->length.count()) + " s"
                                 : readable(length.count()) + " s of virtual time for each line";
    std::printf("%s\n", what.c_str());
    std::map<std::string, Outcome> known; // Several sections contain the same point.
    for (Section& section : sections) {
        std::printf("\nBy %s\n", section.title.c_str());
        print_head();
        for (Group& group : section.groups)
            for (Result& result : group.results) {
                const std::string where = coordinates(result.point, trace.has_value());
                const auto [found, is_new] = known.try_emplace(where);
                if (is_new)
                    found->second =
                        simulate(trace ? *trace : make_workload(result.point.reconciling, length),
                                 result.point);
                result.outcome = found->second;
                print(where, result.outcome);
            }
    }
    if (!arguments.plots.empty())
        plot_all(arguments.plots, sections,
                 what + "; the speed of the machine does not affect the results");
    // A smoke test is too short to measure rates.
    if (arguments.lists.empty() && !trace && !arguments.options.smoke)
        print_rows(sections.front());
}

} // namespace

int main(int count, char** words) {
    try {
        run(parse(count, words));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hit_rate: %s\n", error.what());
        return 2;
    }
    return 0;
}
