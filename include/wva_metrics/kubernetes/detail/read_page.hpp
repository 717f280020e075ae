// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/parse_json.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Reads a page of a list. An object that cannot be read is counted and omitted.
template <ClusterObject T>
Result<Page<T>> read_page(std::string_view body) {
    const Result<ParsedJson> parsed = parse_json(body);
    if (parsed.has_error())
        return Error(Errc::bad_response, "the list " + parsed.error().message);
    Page<T> page;
    std::string problem;
    const JsonFields root(parsed->value, problem);
    const JsonFields metadata = root.object("metadata");
    page.continue_token = metadata.text_or_empty("continue");
    page.resource_version = metadata.text_or_empty("resourceVersion");
    if (problem.empty() && page.resource_version.empty())
        metadata.report("resourceVersion", "is missing");
    const boost::json::object* const object = parsed->value.if_object();
    const boost::json::value* const items = object ? object->if_contains("items") : nullptr;
    if (items == nullptr)
        root.report("items", "is missing");
    else if (!items->is_array() && !items->is_null())
        root.report("items", "is not an array");
    if (!problem.empty())
        return Error(Errc::bad_response, "the response is not a Kubernetes list: " + problem);
    if (items->is_null())
        return page;
    page.objects.reserve(items->get_array().size());
    for (const boost::json::value& item : items->get_array()) {
        Result<T> read = read_object<T>(item);
        if (read.has_value()) {
            page.objects.push_back(*std::move(read));
        } else if (page.unreadable++ == 0) {
            page.first_problem = read.error().message;
        }
    }
    return page;
}

} // namespace wva_metrics::kubernetes::detail
