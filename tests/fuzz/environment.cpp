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

using Values = std::map<std::string, std::string>;

SettingsResult<LoadedSettings> load(std::string_view document, const Values& values) {
    return load_settings(document, [&](const char* name) { return values.at(name); });
}

/// All that is written about the result for people.
std::string words_of(const SettingsResult<LoadedSettings>& loaded) {
    return loaded ? describe(*loaded) : loaded.error().describe();
}

/// Any values of the variables, over any document, give settings or clean problems that tell no
/// secret; a variable takes precedence. Lines: the values, in the order of `environment_variables`;
/// then the document.
void fuzz_environment(std::string_view bytes) {
    Input input(bytes);
    Values values;
    for (const EnvironmentVariable& variable : environment_variables)
        values[variable.name] = input.line();
    const std::string_view document = input.rest();
    const auto loaded = load(document, values);

    Values others = values;
    for (const char* const token :
         {"PROMETHEUS_BEARER_TOKEN", "PODS_BEARER_TOKEN", "EPP_BEARER_TOKEN"})
        others[token] = disguised(values[token]);
    expect(words_of(loaded) == words_of(load(document, others)), "the token is told");
    if (loaded.has_error()) {
        expect(!loaded.error().problems.empty(), "rejected without a problem");
        return check_problems(loaded.error().problems);
    }
    check_problems(loaded->warnings);
    check_masks(loaded->settings);
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
