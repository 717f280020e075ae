// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include "fuzz/properties.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {

/// Throws unless the problems, or warnings, are few, and each is bounded and clean.
inline void check_problems(const std::vector<SettingsProblem>& problems) {
    expect(problems.size() <= DocumentLimits().max_problems + 1, "too many problems");
    for (const SettingsProblem& problem : problems) {
        expect(!problem.message.empty(), "a problem without words: " + problem.path);
        expect_clean(problem.describe(), 4 * max_message_bytes, "a problem of the settings");
    }
}

/// Throws if a text for people has a secret of the settings.
inline void check_masks(const CollectorSettings& settings, std::string_view text) {
    const http::Credentials& credentials = settings.prometheus.client.http.credentials;
    std::string secret = credentials.password();
    if (credentials.kind() == http::Credentials::Kind::bearer)
        secret = credentials.subject();
    // A short one may be a part of any word.
    expect(secret.size() < 12 || text.find(secret) == std::string_view::npos,
           "a secret is written for people");
}

} // namespace wva_metrics::fuzz
