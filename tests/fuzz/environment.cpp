// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/settings/environment.hpp"
#include "wva_metrics/settings/load_settings.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/settings_problems.hpp"
#include "fuzz/target.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// Any values of the variables, over any document, give settings or clean problems that name the
/// variable and tell no secret. Lines: the values, in the order of `environment_variables`; then the
/// document.
void fuzz_environment(std::string_view bytes) {
    Input input(bytes);
    std::map<std::string, std::string> values;
    for (const EnvironmentVariable& variable : environment_variables)
        values[variable.name] = input.line();
    const std::string_view document = input.rest();
    const auto loaded = load_settings(document, [&](const char* name) { return values[name]; });

    const std::string& token = values["PROMETHEUS_BEARER_TOKEN"];
    const auto expect_secret = [&](std::string_view text) {
        std::size_t others = document.find(token) != std::string_view::npos ? 1 : 0;
        for (const auto& [name, value] : values)
            others += name != "PROMETHEUS_BEARER_TOKEN" && value.find(token) != std::string::npos;
        expect(token.size() < 12 || others > 0 || text.find(token) == std::string_view::npos,
               "the token is told: " + std::string(text));
    };
    if (loaded.has_error()) {
        expect(!loaded.error().problems.empty(), "rejected without a problem");
        check_problems(loaded.error().problems);
        return expect_secret(loaded.error().describe());
    }
    check_problems(loaded->warnings);
    const std::string text = describe(*loaded);
    expect_secret(text);
    check_masks(loaded->settings, text);
    for (const EnvironmentVariable& variable : environment_variables)
        for (const std::string_view path : variable.paths) {
            const auto source = loaded->sources.find(std::string(path));
            expect(values[variable.name].empty() || path.empty() ||
                       (source != loaded->sources.end() && source->second != "document"),
                   std::string(variable.name) + " does not take precedence");
        }
}

const RegisteredTarget environment_target("environment", &fuzz_environment);

} // namespace
} // namespace wva_metrics::fuzz
