// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/kubernetes/detail/page_reader.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/resource.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

namespace k8s = kubernetes;

template <typename T>
Result<k8s::Page<T>> read_page(const k8s::detail::PageLimits& limits,
                               const std::vector<std::string>& pieces) {
    k8s::detail::PageReader<T> reader(limits);
    bool wants_more = true;
    for (const std::string& piece : pieces)
        wants_more = wants_more && reader.write(piece);
    return reader.finish();
}

template <typename T>
bool is_same_page(const k8s::Page<T>& one, const k8s::Page<T>& other) {
    return one.objects == other.objects && one.continue_token == other.continue_token &&
           one.resource_version == other.resource_version &&
           one.unreadable.count == other.unreadable.count &&
           one.unreadable.first == other.unreadable.first && one.held_bytes == other.held_bytes;
}

template <typename T>
void check_bounds(const k8s::Page<T>& page, const k8s::detail::PageLimits& limits) {
    expect(page.objects.size() + page.unreadable.count <= limits.max_objects, "too many objects");
    expect(page.held_bytes <= limits.max_list_bytes, "more is kept than max_list_bytes");
    expect(!page.resource_version.empty(), "a page without a resource version");
    for (const T& object : page.objects)
        expect(!object.metadata.name.empty(), "an object without a name");
    for (const k8s::UnreadableObject& object : page.unreadable.first)
        expect_clean(object.problem, max_message_bytes, "the problem of an object");
}

/// Compares with the objects that are read from Boost.JSON's document. An object beyond a limit is
/// in the document alone.
template <typename T>
void check_page_against_document(const Result<k8s::Page<T>>& page, std::string_view body) {
    boost::json::parse_options options;
    options.max_depth = 1000;
    boost::system::error_code error;
    const boost::json::value document =
        boost::json::parse(body, error, boost::json::storage_ptr(), options);
    if (error) {
        // Of what is too large or too deep, only the brackets are read.
        expect(page.has_error() || page->unreadable.count > 0,
               "what Boost.JSON rejects is accepted: " + error.message());
        return;
    }
    if (page.has_error())
        return;
    const boost::json::value* const items = document.as_object().if_contains("items");
    expect(items != nullptr, "a page without items is accepted");
    std::size_t next = 0;
    std::size_t unreadable = 0;
    if (items->is_array()) {
        for (const boost::json::value& item : items->as_array()) {
            const Result<T> object = k8s::read_object<T>(item);
            if (next < page->objects.size() && object.has_value() && *object == page->objects[next])
                ++next;
            else
                ++unreadable;
        }
    }
    expect(next == page->objects.size(), "an object differs from the document's");
    expect(unreadable == page->unreadable.count, "an object is lost without being counted");
}

template <typename T>
void check_page(std::string_view body, std::string_view cuts,
                const k8s::detail::PageLimits& limits) {
    const Result<k8s::Page<T>> whole = read_page<T>(limits, cut(body, ""));
    const Result<k8s::Page<T>> pieces = read_page<T>(limits, cut(body, cuts));
    expect(whole.has_value() == pieces.has_value(), "the result depends on the pieces");
    if (whole.has_value()) {
        expect(is_same_page(*whole, *pieces), "the page depends on the pieces");
        check_bounds(*whole, limits);
    } else {
        expect_explained(whole.error(), {Errc::bad_response, Errc::too_large});
    }
    // A list that has `items` twice is none of an API server; each array counts.
    const std::size_t first = body.find("items");
    if (body.find("items", first + 1) == std::string_view::npos || first == std::string_view::npos)
        check_page_against_document<T>(whole, body);
}

/// A page is read alike in one piece and in several, within the limits, and has the objects of
/// Boost.JSON's document; what is left out is counted. Lines: the type of the objects, and the
/// limits; where it is cut.
void fuzz_kubernetes_page(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    const std::size_t type = choices.below(6);
    k8s::ClientConfig config;
    if (choices.flag()) {
        config.max_page_bytes = 400;
        config.max_object_bytes = 120;
        config.max_object_values = 12;
        config.max_objects = 3;
        config.max_list_bytes = 1000;
    }
    const k8s::detail::PageLimits limits(config, 500);
    const std::string_view cuts = input.line();
    const std::string_view body = input.rest();
    if (type == 0)
        check_page<k8s::Pod>(body, cuts, limits);
    else if (type == 1)
        check_page<k8s::ReplicaSet>(body, cuts, limits);
    else if (type == 2)
        check_page<k8s::Deployment>(body, cuts, limits);
    else if (type == 3)
        check_page<k8s::StatefulSet>(body, cuts, limits);
    else if (type == 4)
        check_page<k8s::LeaderWorkerSet>(body, cuts, limits);
    else
        check_page<k8s::VariantAutoscalingObject>(body, cuts, limits);
}

const RegisteredTarget kubernetes_page_target("kubernetes_page", &fuzz_kubernetes_page);

} // namespace
} // namespace wva_metrics::fuzz
