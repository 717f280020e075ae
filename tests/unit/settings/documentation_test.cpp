// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/environment.hpp"

#include <catch2/catch_all.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

using namespace wva_metrics;

namespace {

std::string type_of(const detail::Field& field) {
    struct Name {
        std::string operator()(const bool*) const { return "true or false"; }
        std::string operator()(const std::size_t*) const { return "integer"; }
        std::string operator()(const double*) const { return "number"; }
        std::string operator()(const Duration*) const { return "duration"; }
        std::string operator()(const std::string*) const { return "string"; }
        std::string operator()(const std::vector<std::string>*) const { return "list of strings"; }
        std::string operator()(const std::vector<promql::Matcher>*) const { return "string"; }
        std::string operator()(const prometheus::Flavor*) const { return "string"; }
        std::string operator()(const http::Credentials*) const { return "object"; }
        std::string operator()(const boost::json::object*) const { return "object"; }
        std::string operator()(const std::vector<VariantAutoscaling>*) const {
            return "list of variants";
        }
        std::string operator()(const std::vector<ModelKey>*) const { return "list of models"; }
        std::string operator()(const std::vector<scrape::ScrapeTarget>*) const {
            return "list of targets";
        }
        std::string operator()(const std::vector<PodService>*) const { return "list of services"; }
        std::string operator()(const std::optional<PodOwner>*) const { return "string"; }
        std::string operator()(const OnDispute*) const { return "string"; }
        std::string operator()(const OptionalReadingSet*) const { return "list of strings"; }
        std::string operator()(const std::vector<http::Header>*) const {
            return "list of name/value objects";
        }
        std::string operator()(const http::FormFields*) const {
            return "list of name/value objects";
        }
    };
    return std::visit(Name(), field.target);
}

template <typename T>
std::string table_of(bool with_default) {
    T described{};
    std::ostringstream text;
    text << "| field | type |" << (with_default ? " default |" : "") << " meaning |\n|---|---|"
         << (with_default ? "---|" : "") << "---|\n";
    for (const detail::Field& field : detail::fields_of(described)) {
        text << "| `" << field.path << "` | " << type_of(field) << " |";
        if (with_default)
            text << " `" << detail::json_text_of(detail::write_value(field, Secrets::plain))
                 << "` |";
        text << ' ' << field.meaning << " |\n";
    }
    return text.str();
}

std::string deprecated_names() {
    CollectorSettings settings;
    std::string rows;
    for (const detail::Field& field : detail::fields_of(settings))
        if (!field.deprecated_path.empty())
            rows += "| `" + field.deprecated_path + "` | `" + field.path + "` |\n";
    return rows;
}

std::string documentation() {
    std::ostringstream text;
    text << R"(# Configuration

Everything can be set in code, in the structs of `config.hpp`, `backend/prometheus_config.hpp`,
`backend/pod_config.hpp`, `backend/epp_config.hpp` and `http/config.hpp`. `load_settings` reads the same settings from a JSON document and the environment.
The environment overrides the document, and the document overrides the defaults. All problems are
reported together, each with its path. `examples/collector.json` is a document to start with, and
`examples/from_config.cpp` is a program that uses it.

`backend` chooses where the metrics come from, and so which sections are needed: `prometheus` (with
`tls` and `proxy`), `pods` for the pods' own pages, `epp` for that of an endpoint picker, or two or
three of them in layers (with `layered`), the preferred one first: `pods+prometheus`,
`epp+prometheus`, `epp+pods+prometheus`. `examples/pods.json` is a document for pods,
`examples/pods_in_kubernetes.json` one that finds them by the Kubernetes API, and `examples/epp.json`
one for an endpoint picker over the pods.

A duration is a number with a unit: `"500ms"`, `"30s"`, `"1m30s"`. Unknown fields are rejected.
`apply_settings` changes the fields below `collector` and `tracked` while the collector runs, and
keeps its cache. Changes of all other fields need a new collector.

)"
         << "## Fields\n\nA path such as `collector.cache.ttl` means nested objects:\n"
         << "`{\"collector\": {\"cache\": {\"ttl\": \"30s\"}}}`.\n\n"
         << table_of<CollectorSettings>(true)
         << "\nA variant in `tracked.variants`; all fields except `accelerator`, `cost` and "
            "`target_kind` are "
            "required:\n\n"
         << table_of<VariantAutoscaling>(false) << "\nA model in `tracked.models`:\n\n"
         << table_of<ModelKey>(false)
         << "\nA pod in `pods.targets`; only `url` is required, and a text instead of an object is "
            "this URL:\n\n"
         << table_of<scrape::ScrapeTarget>(false) << "\nA service in `pods.services`; likewise:\n\n"
         << table_of<PodService>(false)
         << "\n## Deprecated names\n\nA document may still use these names, with a warning. Giving "
            "both names is an error.\n\n| deprecated | use |\n|---|---|\n"
         << deprecated_names() << "\n## Environment\n\n| variable | sets |\n|---|---|\n";
    for (const EnvironmentVariable& variable : environment_variables) {
        text << "| `" << variable.name << "` | `" << variable.paths[0] << '`';
        if (!variable.paths[1].empty())
            text << ", `" << variable.paths[1] << '`';
        text << " |\n";
    }
    text << R"(
A variable with an empty value is treated as not set. The values of a boolean are `true`, `1`, `yes`
and `false`, `0`, `no`. Lists are separated by commas. `PROMETHEUS_TOKEN_PATH` and
`PROMETHEUS_BEARER_TOKEN` exclude each other, as do `PODS_TOKEN_PATH` and `PODS_BEARER_TOKEN`, and
`EPP_TOKEN_PATH` and `EPP_BEARER_TOKEN`.
`PROMETHEUS_METRICS_CACHE_STALE_THRESHOLD` and `PROMETHEUS_METRICS_CACHE_MAX_SIZE`, which
deployments of the Go collector may set, have no effect there and are not read here.
)";
    return text.str();
}

} // namespace

TEST_CASE("examples/configuration.md describes every field and variable") {
    const std::filesystem::path file =
        std::filesystem::path(__FILE__).parent_path() / "../../../examples/configuration.md";
    if (std::getenv("WVA_METRICS_WRITE_DOCS") != nullptr)
        std::ofstream(file) << documentation();
    std::ifstream stream(file);
    const std::string written{std::istreambuf_iterator<char>(stream), {}};
    INFO("run this test with WVA_METRICS_WRITE_DOCS=1 to rewrite the page");
    CHECK(written == documentation());
}
