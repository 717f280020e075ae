// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Maximum nesting depth of a cluster object. Custom resources may nest deeper than built-in ones.
inline constexpr std::size_t max_json_depth = 128;

/// A JSON value and its memory.
struct ParsedJson {
    /// Freed in one step, after the value.
    std::unique_ptr<boost::json::monotonic_resource> memory;
    /// The parsed value.
    boost::json::value value;
};

/// Parses a text that must be one JSON value. The error text starts with `is not valid JSON`.
inline Result<ParsedJson> parse_json(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = max_json_depth;
    auto memory = std::make_unique<boost::json::monotonic_resource>();
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(text, error, memory.get(), options);
    if (error)
        return Error(Errc::bad_response, "is not valid JSON: " + error.message());
    return ParsedJson{std::move(memory), std::move(value)};
}

} // namespace wva_metrics::kubernetes::detail
