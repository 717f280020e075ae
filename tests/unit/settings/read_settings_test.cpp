// SPDX-License-Identifier: Apache-2.0
#include "support/settings_samples.hpp"

#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

namespace {

/// What is wrong with a document, on top of settings that are sound.
std::vector<SettingsProblem> problems_of(std::string_view document,
                                         const DocumentLimits& limits = {}) {
    const auto read = read_settings(document, sound_settings(), limits);
    return read ? std::vector<SettingsProblem>() : read.error().problems;
}

std::string problem_of(std::string_view document) {
    const std::vector<SettingsProblem> problems = problems_of(document);
    return problems.size() == 1 ? problems.front().describe()
                                : std::to_string(problems.size()) + " problems";
}

/// A document with one value, at this path.
std::string document_with(std::string_view path, std::string_view value) {
    std::string begin;
    std::string end;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        begin += "{\"" + std::string(path.substr(0, dot)) + "\": ";
        end += '}';
        path.remove_prefix(dot + 1);
    }
    return begin + "{\"" + std::string(path) + "\": " + std::string(value) + '}' + end;
}

/// Names that one slip of the pen makes of a name.
std::vector<std::string> slips(const std::string& name) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i <= name.size(); ++i) {
        all.push_back(std::string(name).insert(i, 1, 'q'));
        if (i == name.size())
            break;
        all.push_back(std::string(name).replace(i, 1, 1, 'q'));
        all.push_back(std::string(name).erase(i, 1));
        all.push_back(std::string(name).insert(i, 1, name[i]));
        if (i > 0) {
            std::string swapped = name;
            std::swap(swapped[i - 1], swapped[i]);
            all.push_back(swapped);
        }
    }
    return all;
}

/// Every group and field, with the names beside it.
std::vector<std::pair<std::string, std::set<std::string>>> all_names() {
    CollectorSettings settings;
    std::set<std::string> paths;
    for (const detail::Field& field : detail::fields_of(settings))
        for (std::size_t dot = 0; dot != std::string::npos;) {
            dot = field.path.find('.', dot + 1);
            paths.insert(field.path.substr(0, dot));
        }
    const auto parent = [](const std::string& path) {
        const std::size_t dot = path.rfind('.');
        return dot == std::string::npos ? std::string() : path.substr(0, dot + 1);
    };
    std::vector<std::pair<std::string, std::set<std::string>>> names;
    for (const std::string& path : paths) {
        std::set<std::string> siblings;
        for (const std::string& other : paths)
            if (parent(other) == parent(path))
                siblings.insert(other);
        names.emplace_back(path, siblings);
    }
    return names;
}

} // namespace

TEST_CASE("a document says what is different, and the rest keeps its default") {
    const auto settings = read_settings(R"({
        "backend": "mine", "cache": "memory", "decorators": ["one", "two"], "plugins": ["p.so"],
        "collector": {
            "cache": {"enabled": false, "ttl": "1m30s", "max_entries": 5,
                      "freshness_thresholds": {"unavailable": "1h"}},
            "track_on_collection": false},
        "prometheus": {
            "client": {"url": "https://thanos:10902/base", "timeouts": {"attempt": "500ms"},
                       "credentials": {"token_file": "/token"},
                       "headers": [{"name": "X-Scope-OrgID", "value": "llm"}],
                       "query_parameters": [{"name": "dedup", "value": "true"}],
                       "answer": {"max_series": 7}},
            "engine": {"kv_cache_usage": ["kserve_vllm:kv_cache_usage_perc"],
                       "labels": {"namespace": "exported_namespace", "engine": []}},
            "windows": {"rate": "5m"}, "limits": {"max_models_per_query": 10},
            "use_kube_state": false, "min_requests": 2},
        "tls": {"ca_file": "ca.pem", "reload_interval": "0s"},
        "tracked": {
            "variants": [{"namespace": "llm", "name": "a", "model_id": "meta-llama/L",
                          "deployment": "d", "accelerator": "A100", "cost": 2.5},
                         {"namespace": "llm", "name": "b", "model_id": "m", "deployment": "d"}],
            "models": [{"namespace": "llm", "model_id": "m"}]},
        "options": {"mine": {"depth": 3}}
    })");
    REQUIRE(settings.has_value());
    CHECK(settings->backend == "mine");
    CHECK(settings->cache == "memory");
    CHECK(settings->decorators == std::vector<std::string>{"one", "two"});
    CHECK(settings->plugins == std::vector<std::string>{"p.so"});
    const CacheConfig& cache = settings->collector.cache;
    CHECK_FALSE(cache.enabled);
    CHECK(cache.ttl == 90s);
    CHECK(cache.max_entries == 5);
    CHECK(cache.freshness_thresholds.unavailable == 1h);
    CHECK(cache.freshness_thresholds.replica_metrics == 30s);
    CHECK(cache.fetch_interval == 15s);
    CHECK_FALSE(settings->collector.track_on_collection);
    const prometheus::ClientConfig& client = settings->prometheus.client;
    CHECK(client.http.url == "https://thanos:10902/base");
    CHECK(client.http.timeouts.attempt == 500ms);
    CHECK(client.http.credentials.kind() == http::Credentials::Kind::bearer_file);
    CHECK(client.http.credentials.subject() == "/token");
    REQUIRE(client.http.headers.size() == 1);
    CHECK(client.http.headers[0].name == "X-Scope-OrgID");
    CHECK(client.http.headers[0].value == "llm");
    CHECK(client.query_parameters == http::FormFields{{"dedup", "true"}});
    CHECK(client.answer.max_series == 7);
    const EngineProfile& engine = settings->prometheus.engine;
    CHECK(engine.kv_cache_usage == std::vector<std::string>{"kserve_vllm:kv_cache_usage_perc"});
    CHECK(engine.queue_length == vllm_profile().queue_length);
    CHECK(engine.labels.namespace_name == "exported_namespace");
    CHECK(engine.labels.engine.empty());
    CHECK(settings->prometheus.windows.rate == 5min);
    CHECK(settings->prometheus.limits.max_models_per_query == 10);
    CHECK_FALSE(settings->prometheus.use_kube_state);
    CHECK(settings->prometheus.min_requests == 2.0);
    CHECK(settings->tls.ca_file == "ca.pem");
    CHECK(settings->tls.reload_interval == 0s);
    CHECK(settings->tracked.variants ==
          std::vector{VariantAutoscaling("llm", "a", "meta-llama/L", "d", "A100", 2.5),
                      VariantAutoscaling("llm", "b", "m", "d")});
    CHECK(settings->tracked.models == std::vector{ModelKey("llm", "m")});
    CHECK(settings->options.at("mine").at("depth").as_int64() == 3);
}

TEST_CASE("any settings that are written can be read again and are the same") {
    for (unsigned seed = 0; seed < 300; ++seed) {
        CollectorSettings settings;
        RandomFields(seed).fill(settings);
        const std::string text = write_settings(settings, Secrets::plain);
        CAPTURE(seed, text);
        std::vector<SettingsProblem> problems;
        const auto object = detail::parse_document(text, {}, problems);
        REQUIRE(object.has_value());
        CollectorSettings again;
        detail::SettingsReader(problems).read(*object, detail::fields_of(again));
        CHECK_THAT(SettingsProblems{problems}.describe(), Equals(""));
        REQUIRE(SameValues::hold(settings, again));
    }
}

TEST_CASE("each value may be different, so that comparing them means something") {
    CollectorSettings settings;
    RandomFields(1).fill(settings);
    CollectorSettings other = settings;
    REQUIRE(SameValues::hold(settings, other));
    other.prometheus.engine.labels.engine.emplace_back("one more");
    CHECK_FALSE(SameValues::hold(settings, other));
}

TEST_CASE("every slip of the pen in a field's name is refused with the name that was meant") {
    std::size_t tried = 0;
    for (const auto& [path, siblings] : all_names()) {
        const std::size_t dot = path.rfind('.');
        const std::string parent = dot == std::string::npos ? "" : path.substr(0, dot + 1);
        const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
        for (const std::string& slip : slips(name)) {
            if (siblings.contains(parent + slip))
                continue;
            ++tried;
            const std::vector<SettingsProblem> problems =
                problems_of(document_with(parent + slip, "{}"));
            CAPTURE(path, slip);
            REQUIRE(problems.size() == 1);
            CHECK(problems[0].path == parent + slip);
            CHECK_THAT(problems[0].message,
                       ContainsSubstring("did you mean") && ContainsSubstring('"' + name + '"'));
        }
    }
    CHECK(tried > 5000);
}

TEST_CASE("names in the style of another language are recognized") {
    CHECK_THAT(problem_of(document_with("collector.cache.fetchInterval", "\"1s\"")),
               Equals("collector.cache.fetchInterval: there is no such field; did you mean "
                      "\"fetch_interval\"?"));
    CHECK_THAT(problem_of(document_with("prometheus.client.BaseUrl", "1")),
               ContainsSubstring("no such field"));
}

TEST_CASE("a field in the wrong place is told its place") {
    CHECK_THAT(problem_of(document_with("ttl", "\"1s\"")),
               Equals("ttl: there is no such field here; did you mean \"collector.cache.ttl\"?"));
    CHECK_THAT(problem_of(document_with("prometheus.url", "\"http://p\"")),
               ContainsSubstring("\"prometheus.client.url\""));
}

TEST_CASE("what resembles nothing is told what there is") {
    CHECK_THAT(problem_of(document_with("tracked.everything", "true")),
               Equals("tracked.everything: there is no such field; there are \"variants\" or "
                      "\"models\""));
}

TEST_CASE("a dot in a name does not reach into another object") {
    CHECK_THAT(problem_of(R"({"collector.call_timeout": "1s"})"),
               ContainsSubstring("\"collector.call_timeout\": there is no such field"));
    CHECK_THAT(problem_of(R"({"": 1})"), ContainsSubstring("no such field"));
}

TEST_CASE("a value of the wrong type is refused by its field's name") {
    const auto [path, value, words] = GENERATE(table<std::string, std::string, std::string>({
        {"collector.cache.enabled", "1", "must be true or false, not a number"},
        {"collector.cache.enabled", "\"true\"", "must be true or false, not a string"},
        {"collector.cache.ttl", "30", "such as \"30s\", not a number"},
        {"collector.cache.ttl", "null", "must be a duration such as \"30s\", not null"},
        {"collector.cache.ttl", "\"30\"", "\"30\" is no duration"},
        {"collector.cache.ttl", "\"30 parsecs\"", "\"30 parsecs\" is no duration"},
        {"collector.cache.max_entries", "\"5\"", "must be a whole number, not a string"},
        {"collector.cache.max_entries", "1.5", "must be a whole number that is not negative"},
        {"collector.cache.max_entries", "-1", "must be a whole number that is not negative"},
        {"collector.cache.max_entries", "1e30", "must be a whole number that is not negative"},
        {"prometheus.min_requests", "\"x\"", "must be a number, not a string"},
        {"prometheus.min_requests", "1e999", "is too large for a number"},
        {"backend", "[]", "must be a string, not a list"},
        {"decorators", "\"one\"", "must be a list of strings, not a string"},
        {"decorators", "[\"one\", 2]", "[1]: must be a string, not a number"},
        {"collector.cache", "true", "must be an object with fields of its own, not true"},
        {"prometheus.client.headers", "{}", "must be a list of objects, not an object"},
        {"prometheus.client.headers", "[7]", "[0]: must be an object, not a number"},
        {"prometheus.client.credentials", "\"token\"", "must be an object such as"},
        {"tracked.models", "[{\"namespace\": 1, \"model_id\": \"m\"}]",
         "[0].namespace: must be a string, not a number"},
        {"tracked.variants", "[{\"nmae\": 1}]", "[0].nmae: there is no such field"},
        {"options", "[]", "must be an object, not a list"},
    }));
    const std::vector<SettingsProblem> problems = problems_of(document_with(path, value));
    CAPTURE(path, value);
    REQUIRE_FALSE(problems.empty());
    CHECK_THAT(problems.front().describe(),
               Catch::Matchers::StartsWith(path) && ContainsSubstring(words));
}

TEST_CASE("all that is wrong is said at once, and nothing twice") {
    std::vector<std::string> paths;
    for (const SettingsProblem& problem : problems_of(R"({
            "colector": {},
            "collector": {"cache": {"ttl": "soon", "max_bytes": 0, "negative_ttl": "-1s"}},
            "prometheus": {"client": {"url": "ftp://p", "headers": [{"name": "Host", "value": ""}]},
                           "windows": {"rate": "0s"}, "engine": {"ttft": ["no metric"]}},
            "tls": {"private_key_file": "key.pem"},
            "tracked": {"variants": [{"name": 3, "cost": -1}]}})"))
        paths.push_back(problem.path);
    CHECK(std::set<std::string>(paths.begin(), paths.end()) ==
          std::set<std::string>{"colector", "collector.cache.ttl", "collector.cache.max_bytes",
                                "collector.cache.negative_ttl", "prometheus.client.url",
                                "prometheus.client.headers[0]", "prometheus.windows.rate",
                                "prometheus.engine.ttft", "tls.certificate_file",
                                "tracked.variants[0].name", "tracked.variants[0].cost",
                                "tracked.variants[0].namespace", "tracked.variants[0].model_id",
                                "tracked.variants[0].deployment"});
    CHECK(paths.size() == 14);
}

TEST_CASE("whatever a struct's own check finds is said with the field's path") {
    CollectorSettings settings;
    for (const detail::Field& field : detail::fields_of(settings)) {
        if (field.path.starts_with("tracked.") || field.path.starts_with("tls."))
            continue;
        CollectorSettings spoiled = sound_settings();
        for (const detail::Field& target : detail::fields_of(spoiled)) {
            if (target.path != field.path)
                continue;
            if (const auto* duration = std::get_if<Duration*>(&target.target))
                **duration = -1s;
            else if (const auto* size = std::get_if<std::size_t*>(&target.target))
                **size = 0;
            else if (const auto* names = std::get_if<std::vector<std::string>*>(&target.target))
                **names = {"not a name"};
        }
        for (const SettingsProblem& problem : validate(spoiled)) {
            CAPTURE(field.path, problem.path, problem.message);
            // Some bounds are told by their larger neighbour, some names by their group.
            const std::string group = field.path.substr(0, field.path.rfind('.'));
            CHECK(problem.path.starts_with(group));
            CHECK_FALSE(problem.message.starts_with(field.path.substr(group.size() + 1)));
        }
    }
}

TEST_CASE("a field that is there twice is refused, wherever it is") {
    CHECK_THAT(problem_of(R"({"cache": "memory", "cache": "none"})"),
               Equals("cache: is there more than once; say it once"));
    CHECK_THAT(problem_of(R"({"collector": {"cache": {"ttl": "1s", "t\u0074l": "2s"}}})"),
               Equals("collector.cache.ttl: is there more than once; say it once"));
    CHECK_THAT(problem_of(R"({"options": {"a": [{}, {"b": 1, "b": 2}]}})"),
               Equals("options.a[1].b: is there more than once; say it once"));
    CHECK(problems_of(R"({"options": {"a": {"c": 1}, "b": {"c": 1}}})").empty());
}

TEST_CASE("text that is no JSON is refused with the place") {
    CHECK_THAT(problem_of("{\n  \"cache\": \"memory\",\n}"),
               Catch::Matchers::StartsWith("line 3, column 1: the document is not JSON"));
    CHECK_THAT(problem_of("{\"cache\": tru}"), Catch::Matchers::StartsWith("line 1, column 11"));
    CHECK_THAT(problem_of("{\"cache\": "), ContainsSubstring("it breaks off"));
    CHECK_THAT(problem_of("{} {}"), ContainsSubstring("there is more after its end"));
    CHECK_THAT(problem_of(" \n"), ContainsSubstring("empty"));
    CHECK_THAT(problem_of("[]"), ContainsSubstring("must be one JSON object"));
    CHECK_THAT(problem_of("{\"cache\": \"\xff\"}"), ContainsSubstring("not JSON"));
    CHECK(problems_of("\xEF\xBB\xBF{}\n").empty());
}

TEST_CASE("a document is bounded in size and depth, and so is what is said about it") {
    DocumentLimits limits;
    limits.max_bytes = 10;
    limits.max_depth = 4;
    CHECK_THAT(problems_of("{\"cache\": \"memory\"}", limits).at(0).message,
               ContainsSubstring("DocumentLimits::max_bytes = 10"));
    limits.max_bytes = 1000;
    CHECK(problems_of(R"({"options": {"a": {"b": {}}}})", limits).empty());
    CHECK_THAT(problems_of(R"({"options": {"a": {"b": {"c": {}}}}})", limits).at(0).message,
               ContainsSubstring("DocumentLimits::max_depth = 4"));
    CHECK_FALSE(problems_of(std::string(100'000, '[')).empty());

    limits.max_problems = 2;
    const auto problems = problems_of(R"({"a": 1, "b": 2, "c": 3, "d": 4})", limits);
    REQUIRE(problems.size() == 3);
    CHECK_THAT(problems.back().message, Equals("and 2 more"));

    const std::string long_name(5000, 'x');
    for (const SettingsProblem& problem : problems_of(
             "{\"" + long_name + "\": 1, \"collector\": {\"cache\": {\"ttl\": \"" + long_name +
             "\"}}, \"prometheus\": {\"engine\": {\"itl\": [\"" + long_name + " \"]}}}"))
        CHECK(problem.describe().size() < 1000);
}

TEST_CASE("one kind of credentials is needed, not several and not half of one") {
    const auto credentials = [](const char* text) {
        return document_with("prometheus.client.credentials", text);
    };
    CHECK(problems_of(credentials("{}")).empty());
    CHECK(problems_of(credentials(R"({"token": "t"})")).empty());
    CHECK(problems_of(credentials(R"({"user": "u", "password": "p"})")).empty());
    CHECK_THAT(problem_of(credentials(R"({"token": "t", "token_file": "f"})")),
               ContainsSubstring("only one of"));
    CHECK_THAT(problem_of(credentials(R"({"token": "t", "user": "u"})")),
               ContainsSubstring("only one of"));
    CHECK_THAT(problem_of(credentials(R"({"password": "p"})")), ContainsSubstring("needs a user"));
    CHECK_THAT(problem_of(credentials(R"({"token_file": ""})")),
               ContainsSubstring("must not be empty"));
    CHECK_THAT(problem_of(credentials(R"({"tokn": "t"})")),
               ContainsSubstring("did you mean \"token\""));
}

TEST_CASE("a list in the document takes the place of the default's") {
    CollectorSettings defaults = sound_settings();
    defaults.tracked.models = {ModelKey("a", "b"), ModelKey("c", "d")};
    const auto settings = read_settings(
        R"({"tracked": {"models": [{"namespace": "e", "model_id": "f"}]}})", defaults);
    REQUIRE(settings.has_value());
    CHECK(settings->tracked.models == std::vector{ModelKey("e", "f")});
}

TEST_CASE("the URL is needed only where Prometheus is asked") {
    CHECK(read_settings(R"({"backend": "mine"})").has_value());
    const auto settings = read_settings("{}");
    REQUIRE(settings.has_error());
    CHECK_THAT(settings.error().describe(), ContainsSubstring("prometheus.client.url: is needed") &&
                                                ContainsSubstring("PROMETHEUS_BASE_URL"));
}

TEST_CASE("an https URL is sound, whoever makes the transport later") {
    CHECK(problems_of(document_with("prometheus.client.url", "\"https://p\"")).empty());
}

TEST_CASE("tracked workloads are complete and are there once") {
    CHECK_THAT(problem_of(document_with("tracked.models", R"([{"namespace": "a"}])")),
               Equals("tracked.models[0].model_id: is needed"));
    const char* const variant =
        R"({"namespace": "n", "name": "v", "model_id": "m", "deployment": "d"})";
    CHECK_THAT(problem_of(document_with("tracked.variants",
                                        '[' + std::string(variant) + ',' + variant + ']')),
               Equals("tracked.variants[1]: is the same variant as tracked.variants[0]"));
}

TEST_CASE("problems make an error that a Result can hold") {
    const auto settings = read_settings(R"({"cach": 1, "backend": 2})", sound_settings());
    REQUIRE(settings.has_error());
    const Error error = settings.error().to_error();
    CHECK(error.is(Errc::invalid_config));
    CHECK_THAT(error.message, ContainsSubstring("cach: ") && ContainsSubstring("; backend: "));
    CHECK_THROWS_AS(settings.value(), ResultError);
}

TEST_CASE("whatever bytes there are, reading them ends well") {
    std::mt19937 random(7);
    const std::string sound = write_settings(sound_settings());
    const std::string letters = "{}[]\":,0123456789.-+eE truefalsn\\u\n\xff\xc3\xa4";
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        if (round % 2 == 0) {
            for (std::size_t left = random() % 60; left > 0; --left)
                text += letters[random() % letters.size()];
        } else {
            text = sound;
            for (std::size_t left = 1 + random() % 4; left > 0; --left)
                text[random() % text.size()] = letters[random() % letters.size()];
        }
        const auto read = read_settings(text, sound_settings());
        if (!read)
            CHECK_FALSE(read.error().problems.empty());
    }
}
