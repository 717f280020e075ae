// SPDX-License-Identifier: Apache-2.0
#include "support/secrets.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

// No value of a secret may be printed here, so nothing but results of comparisons is.

TEST_CASE("the search for secrets finds each of them in every form") {
    for (const std::string& secret : all_secrets()) {
        std::string form_encoded;
        http::append_form_encoded(form_encoded, secret);
        CHECK_FALSE(find_secret("a " + secret + " b").empty());
        CHECK_FALSE(find_secret("a=" + form_encoded + "&b").empty());
        for (std::size_t before = 0; before < 6; ++before)
            for (std::size_t after = 0; after < 3; ++after) {
                const std::string encoded = http::detail::encode_base64(
                    std::string(before, '{') + secret + std::string(after, '}'));
                CHECK_FALSE(find_secret("Basic " + encoded).empty());
            }
    }
    CHECK(find_secret("Bearer planted").empty());
    CHECK(find_secret("").empty());
}
