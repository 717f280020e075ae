// SPDX-License-Identifier: Apache-2.0
//
// hit_rate [--plots FOLDER] [--trace FILE] [--reconcile S,...] [--variants N,...] [--churn
// PERCENT,...]
//          [--ttl S,...] [--revalidate S,...] [--fetch S,...] [--cache memory|sharded|none,...]
//          [--entries N,...]
//
// What a cache and a background fetch make of a reconcile loop, in virtual time: how often a
// look-up hits, how old what it gives is, how often the backend is asked, how much memory it takes.
// Without lists it goes through the usual ones; with some, through all combinations of what they
// name. A trace is a file that a `TraceObserver` wrote; it takes the place of the simulated
// autoscaler.
#include "hit_rate/points.hpp"
#include "hit_rate/simulation.hpp"
#include "hit_rate/workload.hpp"
#include "report/bar_chart.hpp"
#include "report/environment.hpp"
#include "report/number.hpp"
#include "report/write_file.hpp"
#include "support/measurement.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
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

struct Result {
    std::string label;
    Point point;
    Outcome outcome{};
};

/// Results that stand together under a heading.
struct Group {
    std::string heading;
    std::vector<Result> results;
};

/// Groups that differ in one thing.
struct Section {
    /// Of its plot's file.
    std::string name;
    std::string title;
    std::vector<Group> groups;
};

/// The point that all sections start from: 100 variants every 30 s, a TTL of 30 s and nothing else.
Point base() {
    Point point;
    point.config.cache.fetch_interval = {};
    point.config.cache.stale_while_revalidate = {};
    return point;
}

Point with(Point point, std::string_view option, const std::string& value) {
    set(point, option, value);
    return point;
}

Point renewing(const Point& point) {
    return with(point, "--revalidate", "30");
}
Point fetching(const Point& point, const std::string& seconds) {
    return with(renewing(point), "--fetch", seconds);
}

std::vector<Result> three_ways(const Point& point) {
    return {{"TTL alone", point},
            {"+ stale-while-revalidate", renewing(point)},
            {"+ background every 15 s", fetching(point, "15")}};
}

/// Groups of `three_ways`, one per value; `heading` has a `*` where the value goes.
Section section(std::string name, std::string title, std::string_view option,
                const std::vector<std::string>& values, const std::string& heading) {
    Section made{std::move(name), std::move(title), {}};
    for (const std::string& value : values) {
        std::string words = heading;
        words.replace(words.find('*'), 1, value);
        made.groups.push_back({words, three_ways(with(base(), option, value))});
    }
    return made;
}

std::vector<Section> usual_sections() {
    std::vector<Section> sections{
        section("reconcile", "how often each variant is reconciled", "--reconcile",
                {"5", "10", "20", "30", "60"}, "every * s"),
        section("ttl", "time to live", "--ttl", {"10", "30", "60", "120"}, "TTL * s"),
        {"fetch", "how often is fetched in the background", {{"TTL 90 s", {}}}},
        section("variants", "number of variants", "--variants", {"10", "100", "500"}, "* variants"),
        section("churn", "churn", "--churn", {"0", "10", "100", "1000"},
                "* % of the variants replaced per hour"),
        section("cache", "cache", "--cache", {"memory", "sharded", "none"}, "cache: *"),
    };
    for (const char* interval : {"0", "5", "15", "30", "60"})
        sections[2].groups[0].results.push_back(
            {*interval == '0' ? "none" : std::string("every ") + interval + " s",
             fetching(with(base(), "--ttl", "90"), interval)});
    for (const char* cache : {"memory", "sharded"})
        sections[5].groups.push_back(
            {"cache: " + std::string(cache) + ", room for half of the variants",
             three_ways(with(with(base(), "--cache", cache), "--entries", "50"))});
    return sections;
}

/// One section of all combinations of the lists' values.
Section combinations(const std::vector<std::pair<std::string, std::string>>& lists) {
    std::vector<Result> results{{"", base()}};
    for (const auto& [option, list] : lists) {
        std::vector<Result> more;
        for (const Result& result : results)
            for (const std::string& value : parts_of(list))
                more.push_back({result.label + (result.label.empty() ? "" : ", ") +
                                    option.substr(2) + ' ' + value,
                                with(result.point, option, value)});
        results = std::move(more);
    }
    return {"own", "all that you asked for", {{"combinations", std::move(results)}}};
}

void print_head() {
    std::printf("%9s %8s %7s %6s %10s %6s  %-8s %7s | %6s %6s %6s %8s %8s %9s %9s %9s\n",
                "reconcile", "variants", "churn/h", "TTL", "revalidate", "fetch", "cache",
                "entries", "hit", "stale", "miss", "age p50", "age p99", "req./min", "quest./m.",
                "memory");
}

/// The left half of a line, which says where in all that is simulated it belongs.
std::string coordinates(const Point& point, bool traced) {
    const wva_metrics::CacheConfig& cache = point.config.cache;
    char autoscaler[96] = "";
    if (!traced)
        std::snprintf(autoscaler, sizeof autoscaler, "%7g s %8zu %5g %%",
                      point.reconciling.interval.count(), point.reconciling.variants,
                      100 * point.reconciling.churn_per_hour);
    char line[256];
    std::snprintf(line, sizeof line, "%-26s %4g s %8g s %4g s  %-8s %7zu", autoscaler,
                  to_seconds(cache.ttl), to_seconds(cache.stale_while_revalidate),
                  to_seconds(cache.fetch_interval), point.cache.c_str(), cache.max_entries);
    return line;
}

void print(const std::string& coordinates, const Outcome& outcome) {
    std::printf("%s | %4.1f %% %4.1f %% %4.1f %% %6.1f s %6.1f s %9.1f %9.1f %5.0f KiB\n",
                coordinates.c_str(), outcome.percent(outcome.hits),
                outcome.percent(outcome.stale_hits), outcome.percent(outcome.misses),
                outcome.age(0.5).count(), outcome.age(0.99).count(),
                outcome.per_minute(outcome.requests), outcome.per_minute(outcome.targets),
                static_cast<double>(outcome.bytes) / 1024);
}

using MakeBar = std::function<void(bench::report::Bar&, const Outcome&)>;

void plot(const std::filesystem::path& file, const Section& section, const std::string& title,
          const std::string& axis,
          const std::vector<std::pair<std::string_view, std::string>>& legend,
          const std::string& footnote, const MakeBar& make_bar) {
    bench::report::BarChart chart{title + ", by " + section.title, axis, {}, legend, footnote};
    for (const Group& group : section.groups) {
        chart.groups.push_back({group.heading, {}});
        for (const Result& result : group.results) {
            bench::report::Bar bar{result.label, {}, ""};
            make_bar(bar, result.outcome);
            chart.groups.back().bars.push_back(std::move(bar));
        }
    }
    bench::report::write_file(file, draw(chart));
}

void plot_all(const std::filesystem::path& folder, const std::vector<Section>& sections,
              const std::string& footnote) {
    std::filesystem::create_directories(folder);
    for (const Section& section : sections)
        plot(folder / ("hit_rate_by_" + section.name + ".svg"), section, "What look-ups meet",
             "% of look-ups",
             {{"first", "hit"},
              {"second", "stale, renewed behind the caller"},
              {"third", "miss, the caller waits for the backend"}},
             footnote, [](bench::report::Bar& bar, const Outcome& outcome) {
                 bar.parts = {{outcome.percent(outcome.hits), "first"},
                              {outcome.percent(outcome.stale_hits), "second"},
                              {outcome.percent(outcome.misses), "third"}};
                 bar.text = readable(outcome.percent(outcome.hits)) + " % hit";
             });
    const Section& first = sections.front();
    plot(folder / "hit_rate_age.svg", first, "Age of what is served",
         "s since the backend was asked",
         {{"ours", "half of the answers are no older; the line goes to the age of 99 %"}}, footnote,
         [](bench::report::Bar& bar, const Outcome& outcome) {
             const double half = outcome.age(0.5).count();
             const double most = outcome.age(0.99).count();
             bar.parts = {{half, "ours"}};
             bar.whisker = {half, most};
             bar.text = readable(half) + " / " + readable(most) + " s";
         });
    plot(folder / "hit_rate_requests.svg", first, "Requests to the backend", "batches per minute",
         {}, footnote, [](bench::report::Bar& bar, const Outcome& outcome) {
             const double requests = outcome.per_minute(outcome.requests);
             bar.parts = {{requests, "ours"}};
             bar.text = readable(requests);
         });
    for (const Section& section : sections)
        if (section.name == "variants")
            plot(folder / "hit_rate_memory.svg", section, "Memory of the cache", "KiB", {},
                 footnote, [](bench::report::Bar& bar, const Outcome& outcome) {
                     const double kibibytes = static_cast<double>(outcome.bytes) / 1024;
                     bar.parts = {{kibibytes, "ours"}};
                     bar.text = readable(kibibytes);
                 });
}

/// What the design promises of a plain TTL cache, and what the rest makes of it.
void print_rows(const Section& by_reconcile) {
    const auto row = [](const Group& group, const std::string& traffic, double low, double high) {
        const std::string work = traffic + ": reconcile " + group.heading + ", TTL 30 s";
        const Outcome& plain = group.results[0].outcome;
        const bench::Row rate("cache hit rate", work + " alone", "%", bench::Better::more);
        rate.ours(plain.percent(plain.hits));
        rate.promise_at_least(low);
        rate.promise_at_most(high);
        for (const Result& result : group.results) {
            if (&result == &group.results[0])
                continue;
            const Outcome& outcome = result.outcome;
            const bench::Row at_once("answered without waiting", work + ' ' + result.label, "%",
                                     bench::Better::more);
            at_once.ours(outcome.percent(outcome.hits + outcome.stale_hits));
            at_once.peer("TTL alone", plain.percent(plain.hits));
        }
    };
    for (const Group& group : by_reconcile.groups) {
        if (group.heading == "every 5 s" || group.heading == "every 10 s")
            row(group, "high traffic", 70, 90);
        if (group.heading == "every 20 s" || group.heading == "every 30 s")
            row(group, "low traffic", 30, 50);
    }
}

struct Arguments {
    bench::Options options;
    std::string plots;
    std::string trace;
    std::vector<std::pair<std::string, std::string>> lists;
};

Arguments parse(int count, char** words) {
    Arguments arguments;
    std::string pending;
    arguments.options = bench::parse_options(count, words, [&](std::string_view word) {
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
        throw std::runtime_error(pending + " wants a value");
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
                                 ? arguments.trace + ": " + std::to_string(trace->look_ups.size()) +
                                       " look-ups of " + std::to_string(trace->names.size()) +
                                       " keys in " + readable(trace->length.count()) + " s"
                                 : readable(length.count()) + " s of virtual time per line";
    std::printf("%s\n", what.c_str());
    std::map<std::string, Outcome> known; // The same point is in several sections.
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
        plot_all(
            arguments.plots, sections,
            what + "; " +
                bench::report::environment_here(BENCHMARK_COMPILER, BENCHMARK_FLAGS).describe());
    // A simulation too short says nothing of rates.
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
