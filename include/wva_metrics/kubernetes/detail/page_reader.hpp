// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/web_page.hpp"
#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/kubernetes/detail/held_bytes.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/item_splitter.hpp"
#include "wva_metrics/kubernetes/detail/object_limit.hpp"
#include "wva_metrics/kubernetes/detail/object_parser.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/kubernetes/page.hpp"
#include "wva_metrics/kubernetes/read_object.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The limits of one page.
struct PageLimits {
    /// `page_size`: of the request. A page of one object has no limit of its own: a smaller one
    /// cannot be requested, and the object is left out.
    PageLimits(const ClientConfig& config, std::size_t page_size)
        : max_page_bytes(page_size > 1 ? config.max_page_bytes : static_cast<std::size_t>(-1)),
          object(config), max_object_values(config.max_object_values),
          max_objects(config.max_objects), max_list_bytes(config.max_list_bytes) {}

    std::size_t max_page_bytes;
    ObjectLimit object;
    std::size_t max_object_values;
    std::size_t max_objects;
    std::size_t max_list_bytes;
};

/// Reads a page of a list, whose body arrives in pieces. Holds what is read of the objects, and the
/// text of one object. An object that cannot be read, or exceeds a limit, is counted and left out.
template <ClusterObject T>
class PageReader {
public:
    explicit PageReader(const PageLimits& limits)
        : limits_(limits), splitter_(limits.object.bytes()),
          parser_(WantedFields::of<T>(), TextOf::object, limits.max_object_values) {}

    /// Reads a piece. False if the page is rejected.
    bool write(std::string_view piece) {
        bytes_ += piece.size();
        if (beginning_.size() < http::web_page_beginning)
            beginning_ += piece.substr(0, http::web_page_beginning - beginning_.size());
        if (bytes_ > limits_.max_page_bytes)
            return exceeds("the page of the list", "max_page_bytes", limits_.max_page_bytes,
                           "bytes");
        if (splitter_.write(piece, *this) == ItemSplitter::Outcome::too_large)
            error_ = Error(Errc::too_large,
                           "the response is not a Kubernetes list: beside its items it has more "
                           "than " +
                               std::to_string(ItemSplitter::max_envelope_bytes) + " bytes");
        return !error_;
    }

    /// The page, when its body is complete.
    ///
    /// **Errors:**
    /// - `too_large`: the page exceeds a limit, which the text names,
    /// - `bad_response`: the body is not a list.
    Result<Page<T>> finish() {
        if (!error_)
            read_envelope();
        if (error_)
            return *error_;
        return std::move(page_);
    }

    /// The first bytes of the body.
    const std::string& beginning() const noexcept { return beginning_; }

    /// For the splitter: an element of the list. False if the page is rejected.
    bool take(std::string_view element) {
        if (!count_object())
            return false;
        const Result<const boost::json::value*> value = parser_.parse(element);
        if (value.has_error() && value.error().is(Errc::bad_response)) {
            error_ = Error(Errc::bad_response, "the list " + value.error().message);
            return false;
        }
        if (value.has_error()) {
            page_.unreadable.add(
                unreadable(identify(element, TextOf::object), value.error().message));
            return true;
        }
        Result<T> object = read_object<T>(**value);
        if (object.has_error()) {
            const ObjectIdentity identity = identify(element, TextOf::object);
            page_.unreadable.add({identity.namespace_name, identity.name, object.error().message});
            return true;
        }
        page_.held_bytes += held_bytes(*object);
        page_.objects.push_back(*std::move(object));
        return page_.held_bytes <= limits_.max_list_bytes ||
               exceeds("what is kept of the list", "max_list_bytes", limits_.max_list_bytes,
                       "bytes");
    }

    /// For the splitter: an element that was not kept. False if the page is rejected.
    bool take_oversized(const ObjectIdentity& identity) {
        if (!count_object())
            return false;
        page_.unreadable.add(unreadable(identity, "it has " + limits_.object.exceeded()));
        return true;
    }

private:
    bool count_object() {
        return ++objects_ <= limits_.max_objects ||
               exceeds("the list", "max_objects", limits_.max_objects, "objects");
    }

    bool exceeds(std::string_view what, std::string_view name, std::size_t limit,
                 std::string_view unit) {
        error_ = Error(Errc::too_large,
                       std::string(what) + " exceeds " + std::string(name) + " = " +
                           std::to_string(limit) + ' ' + std::string(unit) +
                           "; select fewer objects by namespace or label, or raise the limit");
        return false;
    }

    void read_envelope() {
        boost::system::error_code failure;
        const boost::json::value envelope = boost::json::parse(splitter_.envelope(), failure);
        if (failure) {
            error_ = Error(Errc::bad_response, "the list is not valid JSON: " + failure.message());
            return;
        }
        std::string problem;
        const JsonFields root(envelope, problem);
        const JsonFields metadata = root.object("metadata");
        page_.continue_token = metadata.text_or_empty("continue");
        page_.resource_version = metadata.text_or_empty("resourceVersion");
        if (problem.empty() && page_.resource_version.empty())
            metadata.report("resourceVersion", "is missing");
        const boost::json::object* const object = envelope.if_object();
        const boost::json::value* const items = object ? object->if_contains("items") : nullptr;
        if (items == nullptr)
            root.report("items", "is missing");
        else if (!items->is_array() && !items->is_null())
            root.report("items", "is not an array");
        else if (items->is_array() && !items->get_array().empty())
            // The splitter has not found them, so they would be lost.
            root.report("items", "has a name that is written with escape sequences");
        if (!problem.empty())
            error_ = Error(Errc::bad_response, "the response is not a Kubernetes list: " + problem);
    }

    const PageLimits limits_;
    ItemSplitter splitter_;
    ObjectParser parser_;
    Page<T> page_;
    std::size_t bytes_ = 0;
    std::string beginning_;
    /// Elements so far, readable or not.
    std::size_t objects_ = 0;
    std::optional<Error> error_;
};

} // namespace wva_metrics::kubernetes::detail
