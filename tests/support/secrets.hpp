// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/form_encoding.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test_support {

// The secrets that tests give to the library. The test `secrets` searches all that the test programs
// print for them, so a test that uses them checks with `find(...) == npos` and the name of the
// constant: Catch2 prints texts that are compared, and the source text of each check.

/// A bearer token.
inline const std::string secret_token = "planted/Bearer+Zx8Qv3~token=";
/// A password.
inline const std::string secret_password = "planted&Pass word%Zx8Qv3";
/// The password for a proxy.
inline const std::string secret_proxy_password = "planted:Proxy?pass/Zx8Qv3";
/// The value of a header or parameter.
inline const std::string secret_value = "planted Value+Zx8Qv3";

inline std::vector<std::string> all_secrets() {
    return {secret_token, secret_password, secret_proxy_password, secret_value};
}

/// What a text contains if it has the secret in it: the secret as it is, URL-encoded, or anywhere
/// in something that was encoded in base64.
inline std::vector<std::string> forms_of_secret(std::string_view secret) {
    std::string form_encoded;
    http::append_form_encoded(form_encoded, secret);
    std::string percent_encoded = form_encoded;
    for (std::size_t at = 0; (at = percent_encoded.find('+', at)) != std::string::npos; at += 3)
        percent_encoded.replace(at, 1, "%20");
    std::vector<std::string> forms{std::string(secret), form_encoded, percent_encoded};
    // Three bytes become four characters. Those that also depend on what is before or after the
    // secret are left out.
    for (std::size_t before = 0; before < 3; ++before) {
        const std::size_t skipped = (3 - before) % 3;
        const std::size_t whole = (secret.size() - skipped) / 3 * 3;
        forms.push_back(http::detail::encode_base64(secret.substr(skipped, whole)));
    }
    return forms;
}

/// The first form of a secret that the text contains; empty if there is none.
inline std::string find_secret(std::string_view text) {
    for (const std::string& secret : all_secrets())
        for (const std::string& form : forms_of_secret(secret))
            if (text.find(form) != std::string_view::npos)
                return form;
    return "";
}

} // namespace wva_metrics::test_support
