// SPDX-License-Identifier: Apache-2.0
//
// What a document and the environment say is quoted in bounded, clean texts.
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/environment.hpp"
#include "wva_metrics/settings/load_settings.hpp"

#include "support/presentable.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

const Environment nothing_set = [](const char*) { return std::string(); };

/// The texts of all problems and of the error made of them.
void check_presentable(const SettingsProblems& found) {
    for (const SettingsProblem& problem : found.problems) {
        CAPTURE(problem.path.substr(0, 200), problem.message.substr(0, 200));
        CHECK(is_presentable(problem.path, 300));
        CHECK(is_presentable(problem.message, 1000));
    }
    CHECK(is_presentable(found.to_error().describe()));
}

} // namespace

TEST_CASE("problems of a document do not repeat long or invisible names and values") {
    const std::string text = boost::json::serialize(boost::json::value(hostile_text()));
    DocumentLimits limits;
    limits.max_bytes = std::size_t{64} << 20;
    const auto document = GENERATE_COPY(
        std::string("{" + text + ":1}"), std::string("{\"collector\":{" + text + ":1}}"),
        std::string("{\"collector\":" + text + "}"), std::string("{\"backend\":" + text + "}"),
        std::string("{\"collector\":{\"cache\":{\"ttl\":" + text + "}}}"),
        std::string("{\"prometheus\":{\"client\":{\"url\":" + text + "}}}"),
        std::string("{\"prometheus\":{\"client\":{\"url\":\"http://p\",\"headers\":{" + text +
                    ":\"1\"}}}}"),
        std::string("{\"prometheus\":{\"client\":{\"url\":\"http://p\",\"headers\":{\"a\":" + text +
                    "}}}}"),
        std::string("{\"prometheus\":{\"flavor\":" + text + "}}"),
        std::string("{\"prometheus\":{\"matchers\":" + text + "}}"),
        std::string("{\"prometheus\":{\"engine\":{\"name\":" + text + ",\"running\":[" + text +
                    "]}}}"),
        std::string("{\"prometheus\":{\"engine\":{\"labels\":{\"pod\":" + text + "}}}}"),
        std::string("{\"pods\":{\"targets\":[" + text + ",{\"url\":\"http://p\",\"owner\":" + text +
                    "}]}}"),
        std::string("{\"epp\":{\"models\":" + text + ",\"names\":{\"requests\":[" + text + "]}}}"),
        std::string("{\"layered\":{\"on_dispute\":" + text + "}}"),
        std::string("{\"pods\":{\"optional_readings\":[" + text + "]}}"),
        std::string("{\"tls\":{\"ca_file\":" + text + "}}"),
        std::string("{\"proxy\":{\"url\":" + text + ",\"no_proxy\":[" + text + "]}}"),
        std::string("{\"tracked\":{\"variants\":[{" + text + ":" + text + "}]}}"),
        std::string("{\"tracked\":" + text + "}"), std::string(hostile_text()));
    const auto loaded = load_settings(document, nothing_set, limits);
    if (!loaded) {
        check_presentable(loaded.error());
        return;
    }
    for (const SettingsProblem& warning : loaded->warnings)
        CHECK(is_presentable(warning.describe()));
    boost::asio::io_context context;
    const Result<AnyCollector> made = make_collector(context.get_executor(), loaded->settings);
    if (!made)
        CHECK(is_presentable(made.error().describe()));
}

TEST_CASE("problems of the environment do not repeat long or invisible values") {
    for (const EnvironmentVariable& variable : environment_variables) {
        const Environment environment = [&](const char* name) {
            return std::string_view(name) == variable.name ? hostile_text() : std::string();
        };
        if (const auto loaded = load_settings("", environment); !loaded)
            check_presentable(loaded.error());
    }
}

TEST_CASE("a settings file with a long name is named in part") {
    const auto loaded = load_settings_file(hostile_line(), nothing_set);
    REQUIRE(!loaded);
    check_presentable(loaded.error());
}
