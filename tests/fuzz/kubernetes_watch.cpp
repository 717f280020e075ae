// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/line_splitter.hpp"
#include "wva_metrics/kubernetes/detail/object_parser.hpp"
#include "wva_metrics/kubernetes/detail/read_watch_event.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"
#include "wva_metrics/kubernetes/objects.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

using kubernetes::detail::LineSplitter;

/// What the splitter passes on.
struct SplitLines {
    std::vector<std::string> lines;
    std::size_t oversized = 0;
    bool is_too_long = false;

    bool take(std::string_view line) {
        lines.emplace_back(line);
        return true;
    }
    bool take_oversized(const kubernetes::detail::ObjectIdentity& identity) {
        expect(identity.name.size() <= 1000, "a name of an object is not bounded");
        ++oversized;
        return true;
    }

    friend bool operator==(const SplitLines&, const SplitLines&) = default;
};

SplitLines split(const std::vector<std::string>& pieces, std::size_t max_bytes) {
    LineSplitter splitter(max_bytes);
    SplitLines split;
    for (const std::string& piece : pieces)
        split.is_too_long =
            split.is_too_long || splitter.write(piece, split) == LineSplitter::Outcome::too_long;
    return split;
}

template <typename T>
void check_event(std::string_view line, kubernetes::detail::ObjectParser& parser) {
    namespace k8s = kubernetes;
    const Result<k8s::WatchEvent<T>> event = k8s::detail::read_watch_event<T>(line, parser);
    boost::json::parse_options options;
    options.max_depth = 1000;
    boost::system::error_code error;
    const boost::json::value document =
        boost::json::parse(line, error, boost::json::storage_ptr(), options);
    if (!event)
        return expect_explained(event.error(), {Errc::bad_response});
    const bool is_left_out = !event->unreadable.problem.empty();
    expect(!error || is_left_out, "what Boost.JSON rejects is accepted: " + error.message());
    expect_clean(event->status.message, 500, "the message of a Status");
    expect_clean(event->status.reason, 60, "the reason of a Status");
    expect_clean(event->unreadable.problem, max_message_bytes, "the problem of an object");
    const bool has_object = event->kind == k8s::WatchEventKind::added ||
                            event->kind == k8s::WatchEventKind::modified ||
                            event->kind == k8s::WatchEventKind::deleted;
    expect(!event->object || has_object, "an event that has no object has one");
    expect(!has_object || event->object.has_value() != is_left_out, "an object is lost silently");
    if (error || !event->object)
        return;
    const Result<T> model = k8s::read_object<T>(document.at("object"));
    expect(model.has_value() && *model == *event->object, "an object differs from the document's");
    expect(event->resource_version == event->object->metadata.resource_version,
           "another resource version");
}

/// A watch has the same lines in one piece and in several, none above the limit, and each is an
/// event with the object of Boost.JSON's document, or a named problem, or an error. Lines: the limit;
/// where the watch is cut.
void fuzz_kubernetes_watch(std::string_view bytes) {
    namespace k8s = kubernetes;
    Input input(bytes);
    const bool is_small = Choices(input.line()).flag();
    const std::size_t max_bytes = is_small ? 200 : std::size_t{4} << 20;
    const std::string_view cuts = input.line();
    const std::string_view watch = input.rest();
    const SplitLines whole = split(cut(watch, ""), max_bytes);
    const SplitLines pieces = split(cut(watch, cuts), max_bytes);
    expect(whole == pieces, "the lines depend on the pieces");

    using k8s::detail::ObjectParser;
    using k8s::detail::TextOf;
    using k8s::detail::WantedFields;
    const std::size_t max_values = is_small ? 16 : k8s::ClientConfig().max_object_values;
    ObjectParser pods(WantedFields::of<k8s::Pod>(), TextOf::watch_event, max_values);
    ObjectParser variants(WantedFields::of<k8s::VariantAutoscalingObject>(), TextOf::watch_event,
                          max_values);
    for (const std::string& line : whole.lines) {
        expect(!line.empty() && line.size() <= max_bytes && line.find('\n') == std::string::npos,
               "not a line");
        check_event<k8s::Pod>(line, pods);
        check_event<k8s::VariantAutoscalingObject>(line, variants);
    }
}

const RegisteredTarget kubernetes_watch_target("kubernetes_watch", &fuzz_kubernetes_watch);

} // namespace
} // namespace wva_metrics::fuzz
