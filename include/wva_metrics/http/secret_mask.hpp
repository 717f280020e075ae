// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/secret_forms.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

/// Hides secrets in texts that may contain bytes of a server, because a server may echo a request
/// in its errors. Each client has one that knows the client's secrets.
///
/// A secret is found as it is, percent-encoded, in base64 and in JSON, and also if a part of it was
/// cut off: what remains visible of it is less than half, and at most 7 characters in a row. So
/// texts may be cut before they are masked.
///
/// **Threads:** safe.
class SecretMask {
public:
    /// Shorter secrets are not hidden, because they occur in any text; who can read the text can
    /// guess them, too.
    static constexpr std::size_t min_bytes = 4;
    /// What is shown instead.
    static constexpr std::string_view mask_text = "***";

    /// Hides a secret from now on.
    void add(std::string_view secret) {
        const std::lock_guard lock(mutex_);
        if (secret.size() >= min_bytes)
            secrets_.emplace_back(secret);
    }

    /// Hides the credentials in the value of an `Authorization` header from now on, and the two
    /// before them: a server may still answer a request that had these.
    void learn_authorization(std::string_view value) {
        value.remove_prefix(value.find(' ') + 1);
        if (value.size() < min_bytes)
            return;
        const std::lock_guard lock(mutex_);
        if (!learned_.empty() && learned_.front().secret == value)
            return;
        learned_.emplace_front(value);
        if (learned_.size() > kept_authorizations)
            learned_.pop_back();
    }

    /// The text with `***` instead of each secret.
    std::string mask(std::string_view text) const {
        std::vector<bool> hidden(text.size());
        {
            const std::lock_guard lock(mutex_);
            for (Hidden& secret : secrets_)
                secret.mark(text, hidden);
            for (Hidden& secret : learned_)
                secret.mark(text, hidden);
        }
        std::string masked;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (!hidden[i])
                masked += text[i];
            else if (i == 0 || !hidden[i - 1])
                masked += mask_text;
        }
        return masked;
    }
    /// The error with a masked message.
    Error mask(Error error) const {
        error.message = mask(error.message);
        return error;
    }

    /// True if the value of a header or parameter with this name is a secret by its name, as in
    /// `X-Api-Key`. Values of other names, e.g. of a tenant, are needed to understand an error.
    static bool is_secret_name(std::string_view name) {
        std::string lower;
        for (const char c : name)
            lower += detail::to_lower(c);
        for (const char* word : {"auth", "token", "key", "secret", "passw", "cookie", "credential"})
            if (lower.find(word) != std::string::npos)
                return true;
        return false;
    }

private:
    static constexpr std::size_t kept_authorizations = 3;

    /// A secret, and all parts of its forms that are as long as `run_`, each in a number.
    struct Hidden {
        explicit Hidden(std::string_view text)
            : secret(text), run_(std::clamp(text.size() / 2, min_bytes, sizeof(std::uint64_t))) {}

        void mark(std::string_view text, std::vector<bool>& hidden) {
            if (parts_.empty())
                find_parts();
            for_each_part(text, [&](std::size_t begin, std::uint64_t part) {
                if (std::binary_search(parts_.begin(), parts_.end(), part))
                    std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(begin), run_, true);
            });
        }

        std::string secret;

    private:
        /// When first needed, which may be never.
        void find_parts() {
            for (const std::string& form : detail::secret_forms(secret))
                for_each_part(form,
                              [&](std::size_t, std::uint64_t part) { parts_.push_back(part); });
            std::sort(parts_.begin(), parts_.end());
            parts_.erase(std::unique(parts_.begin(), parts_.end()), parts_.end());
        }

        template <typename Visitor>
        void for_each_part(std::string_view text, Visitor visit) const {
            const std::uint64_t kept = ~std::uint64_t{0} >> (64 - 8 * run_);
            std::uint64_t part = 0;
            for (std::size_t i = 0; i < text.size(); ++i) {
                part = (part << 8U | static_cast<unsigned char>(text[i])) & kept;
                if (i + 1 >= run_)
                    visit(i + 1 - run_, part);
            }
        }

        std::size_t run_;
        std::vector<std::uint64_t> parts_;
    };

    mutable std::mutex mutex_;
    mutable std::vector<Hidden> secrets_;
    /// The newest first.
    mutable std::deque<Hidden> learned_;
};

} // namespace wva_metrics::http
