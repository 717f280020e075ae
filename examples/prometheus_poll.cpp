// SPDX-License-Identifier: Apache-2.0
//
// Shows how loaded the inference servers are that a Prometheus scrapes, as an autoscaler sees them.
//
// Made to be copied: one file, which needs only find_package(wva_metrics). The part up to main()
// uses the library; the rest reads the command line and prints.
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined if wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iomanip>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace json = boost::json;
using namespace wva_metrics;

constexpr const char* help_text =
    "usage: prometheus_poll --url PROMETHEUS --namespace NS --model ID... [option]...\n"
    "Shows the load of inference servers. Options:\n"
    "  --url A[,B...]      Prometheus servers with the same data: the first that answers\n"
    "                      is asked\n"
    "  --deployment NAME[=VARIANT[:ACCELERATOR[:COST]]]   a variant (repeatable)\n"
    "  --interval 15s      the time between rounds\n"
    "  --once              one round; the exit status is 3 if Prometheus answers,\n"
    "                      but has no recent metrics of a model\n"
    "  --json              a line of JSON per model and round, not a table\n"
    "  --token-file FILE   a bearer token\n"
    "  --ca-file FILE      the certificates to trust, not those of the system\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage. The table is as wide as the\n"
    "terminal or, if the output is not a terminal, the environment variable COLUMNS.\n";

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::vector<std::string> urls;
    std::string namespace_name;
    std::vector<std::string> models;
    std::vector<VariantAutoscaling> variants; ///< Without namespace and model.
    Duration interval{};
    std::optional<std::string> token_file;
    std::string ca_file; ///< Empty: the system's certificates.
    bool once = false, json = false, help = false;
};

/// Everything that is shown of one model.
struct Report {
    std::time_t time;
    ModelKey model;
    Availability availability;
    std::vector<std::pair<VariantAutoscaling, OptimizerMetrics>> variants{};
    ReplicaSnapshot replicas;
    bool partial; ///< The replicas or the metrics of a variant are incomplete.
    std::set<std::string> warnings;
    CacheStats cache{}; ///< Of the collector: of all models so far.
};

Options parse_options(int argc, const char* const* argv);
/// Tables for people.
std::string to_text(const Report& report, std::size_t width);
/// The columns of the terminal.
std::size_t output_width();
/// One line of JSON.
std::string to_json(const Report& report);

PrometheusBackend make_backend(asio::io_context& io, const Options& options) {
    PrometheusConfig config = PrometheusConfig::at(options.urls.front());
    config.client.replicas = {options.urls.begin() + 1, options.urls.end()};
    if (options.token_file)
        config.client.http.credentials = http::Credentials::bearer_file(*options.token_file);
#ifdef WVA_METRICS_WITH_TLS
    if (http::parse_url(options.urls.front()).value().is_secure())
        config.client.http.transport =
            http::make_tls_transport({.ca_file = options.ca_file}).value();
#endif
    if (!options.ca_file.empty() && !config.client.http.transport)
        throw UsageError("--ca-file needs an https URL and a program built with wva_metrics::tls");
    return PrometheusBackend(io.get_executor(), std::move(config));
}

/// Collects what is shown of one model. Returns an error only if its replicas cannot be collected.
/// `model_of` has the model that each variant serves or served last.
asio::awaitable<Result<Report>> collect(auto& collector, ModelKey model, const Options& options,
                                        std::map<std::string, std::string>& model_of) {
    std::vector<VariantAutoscaling> variants = options.variants;
    for (VariantAutoscaling& variant : variants) {
        variant.namespace_name = model.namespace_name;
        variant.model_id = model.model_id;
    }
    const auto replicas = co_await collector.async_collect_replica_metrics(model, variants);
    if (!replicas)
        co_return replicas.error();
    const auto availability = co_await collector.async_validate_availability(model);
    Report report{.time = std::time(nullptr),
                  .model = model,
                  .availability = availability.value(),
                  .replicas = *replicas,
                  .partial = (*replicas)->partial,
                  .warnings = {(*replicas)->warnings.begin(), (*replicas)->warnings.end()}};
    for (const ReplicaMetrics& replica : (*replicas)->replicas)
        model_of[replica.variant] = model.model_id;
    for (const VariantAutoscaling& variant : variants) {
        // With several models, a deployment is shown for the model that its pods serve.
        if (options.models.size() > 1 && model_of[variant.name] != model.model_id)
            continue;
        const auto collected = co_await collector.async_collect_optimizer_metrics(variant);
        const OptimizerMetrics metrics = collected ? **collected : OptimizerMetrics();
        report.partial = report.partial || !collected || metrics.partial;
        report.warnings.insert(metrics.warnings.begin(), metrics.warnings.end());
        if (!collected)
            report.warnings.insert(collected.error().describe());
        report.variants.emplace_back(variant, metrics);
    }
    report.cache = collector.stats().cache;
    co_return report;
}

/// Returns the exit status. Ends if it shows nothing in the first round.
asio::awaitable<int> run(asio::io_context& io, Options options) {
    using asio::experimental::awaitable_operators::operator||;
    const bool redraw = isatty(STDOUT_FILENO) != 0 && !options.once && !options.json;
    asio::signal_set resized(io);
    if (redraw)
        resized.add(SIGWINCH);
    Collector<PrometheusBackend, MemoryCache> collector(
        io.get_executor(), make_backend(io, options),
        {.cache = {.fetch_interval = options.interval}});
    collector.start_background_fetching(); // Later rounds are answered from the cache.
    std::map<std::string, std::string> model_of;
    for (bool any_shown = false;;) {
        asio::steady_timer next_round(io, options.interval);
        std::string text;
        std::set<std::string> problems; // Often all models have the same.
        bool all_available = true;
        for (const std::string& name : options.models) {
            const ModelKey model(options.namespace_name, name);
            const Result<Report> report = co_await collect(collector, model, options, model_of);
            if (report)
                text += options.json ? to_json(*report) + "\n" : to_text(*report, output_width());
            else if (!report.error().is(Errc::unavailable) || problems.empty())
                // After a failure the client leaves the server alone, which is no further problem.
                problems.insert(report.error().describe());
            all_available = all_available && report && report->availability.available;
        }
        any_shown = any_shown || !text.empty();
        if (!text.empty() && !options.json)
            text += "cache hit rate " +
                    std::to_string(std::lround(100 * collector.stats().cache.hit_rate())) + " %\n";
        std::cout << (redraw && any_shown ? "\033[H\033[2J" : "") << text << std::flush;
        for (const std::string& problem : problems)
            std::cerr << "prometheus_poll: " << problem << "\n";
        if (!any_shown || (options.once && !problems.empty()))
            co_return 1;
        if (options.once)
            co_return all_available ? 0 : 3;
        co_await (next_round.async_wait(asio::use_awaitable) ||
                  resized.async_wait(asio::use_awaitable));
    }
}

int main(int argc, char** argv) try {
    const Options options = parse_options(argc, argv);
    if (options.help) {
        std::cout << help_text;
        return 0;
    }
    asio::io_context io;
    asio::signal_set stop_signals(io, SIGINT, SIGTERM);
    stop_signals.async_wait([&](auto, int) { io.stop(); });
    int status = 0;
    asio::co_spawn(io, run(io, options), [&](std::exception_ptr failure, int result) {
        io.stop();
        if (failure)
            std::rethrow_exception(failure);
        status = result;
    });
    io.run();
    return status;
} catch (const UsageError& error) {
    std::cerr << "prometheus_poll: " << error.what() << "; see --help\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "prometheus_poll: " << error.what() << "\n";
    return 1;
}

// ---- The command line

VariantAutoscaling parse_deployment(const std::string& text) {
    const std::regex pattern("([^=]+)(=([^:]+)(:([^:]*)(:([0-9]{1,9}([.][0-9]{1,9})?))?)?)?");
    std::smatch part;
    if (!std::regex_match(text, part, pattern))
        throw UsageError("--deployment " + text + ": must be NAME[=VARIANT[:ACCELERATOR[:COST]]]");
    return VariantAutoscaling("", part[part[3].matched ? 3 : 1], "", part[1], part[5],
                              part[7].matched ? std::stod(part[7]) : default_variant_cost);
}

Options parse_options(int argc, const char* const* argv) {
    const std::regex flag("--(once|json|help)");
    const std::regex with_value("--(url|namespace|model|deployment|interval|token-file|ca-file)");
    std::map<std::string, std::vector<std::string>> given; // Name: its values.
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const bool needs_value = std::regex_match(name, with_value);
        if (!needs_value && !std::regex_match(name, flag))
            throw UsageError("unknown option " + name);
        if (needs_value && ++i == argc)
            throw UsageError(name + " needs a value");
        given[name].emplace_back(argv[i]);
    }
    Options options;
    options.help = given.contains("--help");
    if (options.help)
        return options;
    if (given.count("--url") + given.count("--namespace") + given.count("--model") < 3)
        throw UsageError("--url, --namespace and --model are required");

    const auto last = [&](const char* name, std::string by_default) {
        return given.contains(name) ? given[name].back() : by_default;
    };
    std::istringstream urls(last("--url", "") + ','); // An empty one is no valid URL.
    for (std::string text; std::getline(urls, text, ',');) {
        if (const auto url = http::parse_url(text); !url)
            throw UsageError("--url: " + url.error().message);
        options.urls.push_back(text);
    }
    options.namespace_name = last("--namespace", "");
    options.models = given["--model"];
    for (const std::string& text : given["--deployment"])
        options.variants.push_back(parse_deployment(text));
    const std::string interval = last("--interval", "15s");
    const auto duration = parse_duration(interval);
    if (!duration || *duration < std::chrono::milliseconds(100))
        throw UsageError("--interval " + interval + ": must be a duration >= 100ms, e.g. 15s");
    options.interval = *duration;
    if (given.contains("--token-file"))
        options.token_file = given["--token-file"].back();
    options.ca_file = last("--ca-file", "");
    options.once = given.contains("--once");
    options.json = given.contains("--json");
    return options;
}

// ---- The table

/// Escaped as in JSON, so that names from outside cannot send control characters to the terminal.
std::string cell(const std::string& text) {
    const std::string quoted = json::serialize(json::string(text));
    return quoted.substr(1, quoted.size() - 2);
}

std::string cell(double number) {
    return (std::ostringstream() << std::setprecision(5) << number).str();
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

/// `42.07 (3s)`: a value and the age of its sample, or why there is none. `60+` is a lower bound; a
/// peak is followed by the last sample: `0.95 (50s) last 0 (1s)`.
std::string cell(const Reading<double>& reading) {
    if (!reading)
        return std::string(to_string(reading.reason()));
    const auto age = [now = std::chrono::steady_clock::now()](TimePoint time) {
        return " (" + std::to_string(std::lround(seconds(now - time))) + "s)";
    };
    return cell(reading.value()) + (reading.is_lower_bound() ? "+" : "") +
           age(reading.sampled_at()) +
           (reading.latest() == reading.value()
                ? ""
                : " last " + cell(reading.latest()) + age(reading.latest_at()));
}

/// Without its middle if it is too long: the names of pods differ at their ends.
std::string shorten(std::string text, std::size_t width) {
    if (text.size() <= width)
        return text;
    const auto is_inside_character = [&](std::size_t i) { return (text[i] & '\xC0') == '\x80'; };
    std::size_t begin = width / 2 - 1, end = text.size() - width / 2 + 1;
    while (is_inside_character(begin))
        --begin;
    while (end < text.size() && is_inside_character(end))
        ++end;
    return text.replace(begin, end - begin, "..");
}

/// Indented lines that are broken between words.
std::string wrap(const std::string& text, std::size_t width) {
    std::istringstream words(text);
    std::string lines, line, word;
    while (words >> word) {
        if (!line.empty() && line.size() + 1 + word.size() > width)
            lines += std::exchange(line, "") + "\n";
        line += (line.empty() ? "  " : " ") + word;
    }
    return lines + line + "\n";
}

using Row = std::vector<std::string>;

/// The width of each column.
std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    return widths;
}

/// Rows below their titles. If that is too wide, long cells are shortened, and columns that do not
/// fit side by side follow below, again with the first column.
std::string table(std::vector<Row> rows, std::size_t width) {
    std::vector<std::size_t> widths = widths_of(rows);
    if (std::accumulate(widths.begin(), widths.end(), 2 * widths.size()) > width) {
        for (Row& row : rows)
            for (std::string& text : row)
                text = shorten(text, width / 4);
        widths = widths_of(rows);
    }
    std::ostringstream out;
    out << std::left;
    for (std::size_t begin = 1, end = 1; begin < widths.size() && rows.size() > 1; begin = end) {
        for (std::size_t used = 2 + widths[0]; end < widths.size(); ++end)
            if ((used += 2 + widths[end]) > width)
                break;
        for (const Row& row : rows) {
            out << "  " << std::setw(static_cast<int>(widths[0])) << row[0];
            for (std::size_t i = begin; i < end; ++i)
                out << "  " << std::setw(static_cast<int>(widths[i])) << row[i];
            out << "\n";
        }
    }
    return out.str();
}

std::size_t output_width() {
    constexpr std::size_t unlimited = 100'000, least = 40;
    winsize terminal{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col > 0)
        return std::max<std::size_t>(terminal.ws_col, least);
    const char* columns = std::getenv("COLUMNS");
    return columns ? std::max<std::size_t>(std::strtoul(columns, nullptr, 10), least) : unlimited;
}

std::string to_text(const Report& report, std::size_t width) {
    const ReplicaSnapshot& replicas = report.replicas;
    const bool is_bold = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    std::string text = (is_bold ? "\033[1m" : "") +
                       shorten(cell(report.model.model_id), width - 22) +
                       (is_bold ? "\033[0m" : "") + "  replicas " +
                       std::string(to_string(replicas.freshness())) + "\n";
    if (report.availability.reason != AvailabilityReason::metrics_found)
        text += wrap(cell(report.availability.message), width);

    std::vector<Row> rows{{"VARIANT", "ACCELERATOR", "COST", "REQUESTS/MIN", "TOKENS IN",
                           "TOKENS OUT", "TTFT s", "ITL s"}};
    for (const auto& [variant, metrics] : report.variants)
        rows.push_back({cell(variant.name), cell(variant.accelerator), cell(variant.cost),
                        cell(metrics.arrival_rate_per_minute), cell(metrics.avg_input_tokens),
                        cell(metrics.avg_output_tokens), cell(metrics.ttft_seconds),
                        cell(metrics.itl_seconds)});
    text += table(std::move(rows), width);
    for (const auto& [variant, metrics] : report.variants)
        if (!metrics.coverage.is_whole())
            text += wrap(cell(variant.name) + " lacks pods " +
                             json::serialize(json::value_from(metrics.coverage.missing)),
                         width);

    rows = {{"REPLICA", "VARIANT", "KV CACHE", "QUEUE"}};
    for (const ReplicaMetrics& replica : replicas->replicas)
        rows.push_back({cell(replica.pod), cell(replica.variant), cell(replica.kv_cache_usage),
                        cell(replica.queue_length)});
    text += table(std::move(rows), width);

    for (const std::string& pod : replicas->unattributed_pods)
        text += wrap("unattributed_pods: " + cell(pod), width);
    for (const std::string& warning : report.warnings)
        text += wrap("warnings: " + cell(warning), width);
    return text + "\n";
}

// ---- JSON

/// Null if there is no time; else to the millisecond.
json::value age_of(const std::optional<TimePoint>& time) {
    if (!time)
        return nullptr;
    return std::round(seconds(std::chrono::steady_clock::now() - *time) * 1000) / 1000;
}

json::value to_json(const Reading<double>& reading) {
    const bool known = reading.has_value();
    return {{"value", known ? json::value(reading.value()) : nullptr},
            {"state", to_string(reading.state())},
            {"reason", to_string(reading.reason())},
            {"statistic", to_string(reading.statistic())},
            {"lower_bound", reading.is_lower_bound()},
            {"age_seconds", known ? age_of(reading.sampled_at()) : nullptr},
            {"latest", known ? json::value(reading.latest()) : nullptr},
            {"latest_age_seconds", age_of(reading.last_sample_at())},
            {"window_seconds", seconds(reading.window())},
            {"spacing_seconds", seconds(reading.spacing())},
            {"metric", reading.metric()}};
}

/// One member per reading.
void add_readings(json::object& object, const auto& metrics, const auto& fields) {
    for (const auto& field : fields)
        object[field.name] = to_json(metrics.*field.member);
}

/// One member per reading that the configuration chooses (`optional_readings`).
void add_optional(json::object& object, const OptionalReadings& optional) {
    for (const auto& [which, reading] : optional.entries())
        object[to_string(which)] = to_json(reading);
}

std::string to_json(const Report& report) {
    json::array variants, replicas;
    for (const auto& [variant, metrics] : report.variants) {
        json::object object{{"variant", variant.name},
                            {"deployment", variant.deployment},
                            {"accelerator", variant.accelerator},
                            {"cost", variant.cost}};
        add_readings(object, metrics, optimizer_readings);
        add_optional(object, metrics.optional);
        object["coverage"] = {{"seen", metrics.coverage.seen},
                              {"counted", metrics.coverage.counted},
                              {"missing", json::value_from(metrics.coverage.missing)}};
        variants.push_back(object);
    }
    for (const ReplicaMetrics& replica : report.replicas->replicas) {
        json::object object{{"pod", replica.pod},
                            {"variant", replica.variant},
                            {"engine", replica.engine},
                            {"role", to_string(replica.role)}};
        add_readings(object, replica, replica_readings<ReplicaMetrics>);
        add_optional(object, replica.optional);
        replicas.push_back(object);
    }
    std::ostringstream time;
    time << std::put_time(std::gmtime(&report.time), "%FT%TZ");
    return json::serialize(
        json::value{{"time", time.str()},
                    {"namespace", report.model.namespace_name},
                    {"model", report.model.model_id},
                    {"availability",
                     {{"available", report.availability.available},
                      {"reason", to_string(report.availability.reason)},
                      {"message", report.availability.message},
                      {"source", to_string(report.availability.source)},
                      {"checked_seconds_ago", age_of(report.availability.checked_at)},
                      {"last_sample_seconds_ago", age_of(report.availability.last_sample_at)}}},
                    {"variants", variants},
                    {"replicas", replicas},
                    {"unattributed_pods", json::value_from(report.replicas->unattributed_pods)},
                    {"freshness", to_string(report.replicas.freshness())},
                    {"source", to_string(report.replicas.source())},
                    {"partial", report.partial},
                    {"warnings", json::value_from(report.warnings)},
                    {"cache",
                     {{"hits", report.cache.hits},
                      {"stale_hits", report.cache.stale_hits},
                      {"misses", report.cache.misses},
                      {"hit_rate", report.cache.hit_rate()}}}});
}
