// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/api_error.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/object_parser.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The kind of an event by its `type`; empty if the type is unknown.
inline std::optional<WatchEventKind> watch_event_kind(std::string_view type) noexcept {
    if (type == "ADDED")
        return WatchEventKind::added;
    if (type == "MODIFIED")
        return WatchEventKind::modified;
    if (type == "DELETED")
        return WatchEventKind::deleted;
    if (type == "BOOKMARK")
        return WatchEventKind::bookmark;
    if (type == "ERROR")
        return WatchEventKind::error;
    return std::nullopt;
}

/// The event of an object that exceeds a limit. `Errc::bad_response` if it is not an event.
template <typename T>
Result<WatchEvent<T>> limited_event(const ObjectIdentity& identity, std::string_view why) {
    const std::optional<WatchEventKind> kind = watch_event_kind(identity.event_type);
    if (!kind)
        return Error(Errc::bad_response,
                     "invalid event of the watch: type is missing or unknown, and " +
                         std::string(why));
    WatchEvent<T> event;
    event.kind = *kind;
    event.resource_version = identity.resource_version;
    event.unreadable = unreadable(identity, why);
    return event;
}

/// Reads one line of a watch. `Errc::bad_response` if it is not an event. An event whose object
/// cannot be read is not an error; see `WatchEvent::unreadable`.
template <ClusterObject T>
Result<WatchEvent<T>> read_watch_event(std::string_view line, ObjectParser& parser) {
    const Result<const boost::json::value*> parsed = parser.parse(line);
    if (parsed.has_error() && parsed.error().is(Errc::too_large))
        return limited_event<T>(identify(line, TextOf::watch_event), parsed.error().message);
    if (parsed.has_error())
        return Error(Errc::bad_response, "an event of the watch " + parsed.error().message);
    const boost::json::value& value = **parsed;
    std::string problem;
    const JsonFields root(value, problem);
    const std::optional<WatchEventKind> kind = watch_event_kind(root.text_or_empty("type"));
    const boost::json::object* const fields = value.if_object();
    const boost::json::value* const object = fields ? fields->if_contains("object") : nullptr;
    if (!kind)
        root.report("type", "is missing or unknown");
    if (object == nullptr)
        root.report("object", "is missing");
    if (!problem.empty())
        return Error(Errc::bad_response, "invalid event of the watch: " + problem);

    WatchEvent<T> event;
    event.kind = *kind;
    if (event.kind == WatchEventKind::error) {
        event.status = read_status(*object);
        return event;
    }
    // Read separately, because the resource version is valid even if the object is not.
    std::string ignored;
    event.resource_version =
        JsonFields(*object, ignored).object("metadata").text_or_empty("resourceVersion");
    if (event.kind == WatchEventKind::bookmark)
        return event;
    Result<T> read = read_object<T>(*object);
    if (read.has_value()) {
        event.object = *std::move(read);
    } else {
        const ObjectIdentity identity = identify(line, TextOf::watch_event);
        event.unreadable = {identity.namespace_name, identity.name, read.error().message};
    }
    return event;
}

} // namespace wva_metrics::kubernetes::detail
