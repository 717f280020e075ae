// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/settings_problems.hpp"
#include "fuzz/target.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

bool is_json(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = DocumentLimits().max_depth;
    options.numbers = boost::json::number_precision::precise;
    boost::system::error_code error;
    boost::json::parse(text, error, boost::json::storage_ptr(), options);
    return !error;
}

/// A document is rejected with a bounded number of clean problems, or reads the same after it was
/// written; its secrets are not in what is written for people.
void fuzz_settings_document(std::string_view bytes) {
    std::vector<SettingsProblem> warnings;
    const auto read = read_settings(bytes, {}, {}, &warnings);
    check_problems(warnings);
    if (read.has_error()) {
        expect(!read.error().problems.empty(), "rejected without a problem");
        return check_problems(read.error().problems);
    }
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    expect(is_json(bytes.starts_with(byte_order_mark) ? bytes.substr(3) : bytes),
           "what Boost.JSON rejects is accepted");
    const std::string document = write_settings(*read, Secrets::plain);
    const auto again = read_settings(document);
    expect(again.has_value(),
           "what was written is rejected: " + (again ? "" : again.error().describe()) + document);
    expect(write_settings(*again, Secrets::plain) == document, "it reads otherwise when written");
    check_masks(*read);
}

const RegisteredTarget settings_document_target("settings_document", &fuzz_settings_document);

} // namespace
} // namespace wva_metrics::fuzz
