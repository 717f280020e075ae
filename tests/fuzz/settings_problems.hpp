// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include "fuzz/properties.hpp"

#include <string>
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

/// Throws if what is written of the settings for people depends on their secrets.
inline void check_masks(const CollectorSettings& settings) {
    CollectorSettings other = settings;
    for (http::ClientConfig* const client : {&other.prometheus.client.http, &other.pods.client,
                                             &other.pods.kubernetes.client, &other.epp.client}) {
        http::Credentials& credentials = client->credentials;
        if (credentials.kind() == http::Credentials::Kind::bearer)
            credentials = http::Credentials::bearer(disguised(credentials.subject()));
        if (credentials.kind() == http::Credentials::Kind::basic)
            credentials =
                http::Credentials::basic(credentials.subject(), disguised(credentials.password()));
    }
    expect(write_settings(settings) == write_settings(other), "a secret is written for people");
}

} // namespace wva_metrics::fuzz
