// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/identity_scanner.hpp"
#include "wva_metrics/kubernetes/detail/wanted_fields.hpp"

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// A handler of Boost.JSON's parser that builds the value of an object, or of a watch event, from
/// its wanted fields. The others are parsed, but not kept.
class ObjectSax {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using Code = boost::system::error_code;

    /// `max_values`: of the kept ones.
    ObjectSax(const WantedFields& wanted, TextOf text, std::size_t max_values)
        : wanted_(wanted), outer_levels_(text == TextOf::watch_event ? 1 : 0),
          max_values_(max_values) {}

    /// Discards what was built.
    void clear() {
        stack_.reset();
        sizes_.clear();
        key_.clear();
        values_ = 0;
        skipped_levels_ = 0;
        skips_next_ = false;
    }
    /// Begins the next value in this memory. Call after `clear`.
    void begin(boost::json::storage_ptr memory) { stack_.reset(std::move(memory)); }
    /// The complete value.
    boost::json::value release() { return stack_.release(); }
    /// Whether the parser was stopped because there are too many values.
    bool has_too_many_values() const noexcept { return values_ > max_values_; }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_comment_part(std::string_view, Code&) { return true; }
    bool on_comment(std::string_view, Code&) { return true; }

    bool on_object_begin(Code&) { return open(); }
    bool on_object_end(std::size_t, Code& ec) {
        return close([this](std::size_t size) { stack_.push_object(size); }, ec);
    }
    bool on_array_begin(Code&) { return open(); }
    bool on_array_end(std::size_t, Code& ec) {
        return close([this](std::size_t size) { stack_.push_array(size); }, ec);
    }

    bool on_key_part(std::string_view part, std::size_t, Code&) {
        if (!is_skipping())
            key_ += part;
        return true;
    }
    bool on_key(std::string_view part, std::size_t, Code&) {
        if (is_skipping())
            return true;
        key_ += part;
        skips_next_ = !is_wanted();
        if (!skips_next_)
            stack_.push_key(key_);
        if (sizes_.size() == outer_levels_ + 1)
            section_ = key_;
        key_.clear();
        return true;
    }

    bool on_string_part(std::string_view part, std::size_t, Code&) {
        if (!is_skipping())
            stack_.push_chars(part);
        return true;
    }
    bool on_string(std::string_view part, std::size_t, Code& ec) {
        return scalar([&] { stack_.push_string(part); }, ec);
    }
    bool on_number_part(std::string_view, Code&) { return true; }
    bool on_int64(std::int64_t number, std::string_view, Code& ec) {
        return scalar([&] { stack_.push_int64(number); }, ec);
    }
    bool on_uint64(std::uint64_t number, std::string_view, Code& ec) {
        return scalar([&] { stack_.push_uint64(number); }, ec);
    }
    bool on_double(double number, std::string_view, Code& ec) {
        return scalar([&] { stack_.push_double(number); }, ec);
    }
    bool on_bool(bool value, Code& ec) {
        return scalar([&] { stack_.push_bool(value); }, ec);
    }
    bool on_null(Code& ec) {
        return scalar([&] { stack_.push_null(); }, ec);
    }

private:
    bool is_skipping() const noexcept { return skips_next_ || skipped_levels_ > 0; }

    /// Whether the field `key_` of the innermost object is wanted.
    bool is_wanted() const {
        const std::size_t level = sizes_.size();
        if (level == outer_levels_)
            return key_ == "type" || key_ == "object";
        if (level == outer_levels_ + 1)
            return wanted_.has(key_);
        return level != outer_levels_ + 2 || wanted_.has(section_, key_);
    }

    bool open() {
        if (is_skipping())
            ++skipped_levels_;
        else
            sizes_.push_back(0);
        skips_next_ = false;
        return true;
    }
    template <typename Push>
    bool close(Push push, Code& ec) {
        if (skipped_levels_ > 0) {
            --skipped_levels_;
            return true;
        }
        push(sizes_.back());
        sizes_.pop_back();
        return count(ec);
    }
    template <typename Push>
    bool scalar(Push push, Code& ec) {
        if (is_skipping()) {
            skips_next_ = false;
            return true;
        }
        push();
        return count(ec);
    }
    bool count(Code& ec) {
        if (!sizes_.empty())
            ++sizes_.back();
        if (++values_ <= max_values_)
            return true;
        ec = Errc::too_large;
        return false;
    }

    const WantedFields wanted_;
    const std::size_t outer_levels_;
    const std::size_t max_values_;
    boost::json::value_stack stack_;
    /// Of the open objects and arrays that are kept: how many values each has so far.
    std::vector<std::size_t> sizes_;
    std::string key_;
    /// The current field of the object itself.
    std::string section_;
    std::size_t values_ = 0;
    /// Open objects and arrays that are skipped.
    std::size_t skipped_levels_ = 0;
    /// The value of the last key is not wanted.
    bool skips_next_ = false;
};

} // namespace wva_metrics::kubernetes::detail
