// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

namespace wva_metrics::test_support {

/// A key and a certificate for it, made anew for each test.
class Certificate {
public:
    struct Subject {
        std::string common_name;
        /// As OpenSSL writes them, e.g. `DNS:localhost,IP:127.0.0.1`; empty = none.
        std::string alternative_names{};
        /// Ended an hour ago.
        bool is_expired = false;
        bool is_authority = false;
    };

    /// An authority that vouches for itself.
    static Certificate authority(const std::string& common_name) {
        Subject subject;
        subject.common_name = common_name;
        subject.is_authority = true;
        return Certificate(subject, nullptr);
    }
    Certificate sign(const Subject& subject) const { return Certificate(subject, this); }

    std::string certificate_pem() const {
        return to_pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
    }
    std::string key_pem() const {
        return to_pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    /// The key, locked with a passphrase.
    std::string locked_key_pem(std::string passphrase) const {
        return to_pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key_.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr,
                                            passphrase.data());
        });
    }

private:
    Certificate(const Subject& subject, const Certificate* issuer)
        : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
        require(key_ != nullptr && certificate_ != nullptr);
        X509* const made = certificate_.get();
        X509_set_version(made, X509_VERSION_3);
        static long serial = 0;
        ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
        constexpr long hour = 3600;
        X509_gmtime_adj(X509_getm_notBefore(made), -24 * hour);
        X509_gmtime_adj(X509_getm_notAfter(made), subject.is_expired ? -hour : 24 * hour);
        X509_set_pubkey(made, key_.get());
        X509_NAME_add_entry_by_NID(X509_get_subject_name(made), NID_commonName, MBSTRING_UTF8,
                                   bytes(subject.common_name), -1, -1, 0);
        const Certificate& signer = issuer == nullptr ? *this : *issuer;
        X509_set_issuer_name(made, X509_get_subject_name(signer.certificate_.get()));
        if (subject.is_authority)
            add(NID_basic_constraints, "critical,CA:TRUE");
        if (!subject.alternative_names.empty())
            add(NID_subject_alt_name, subject.alternative_names);
        require(X509_sign(made, signer.key_.get(), EVP_sha256()) > 0);
    }

    void add(int kind, const std::string& value) {
        X509_EXTENSION* const extension =
            X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
        require(extension != nullptr);
        X509_add_ext(certificate_.get(), extension, -1);
        X509_EXTENSION_free(extension);
    }

    template <typename Write>
    static std::string to_pem(Write write) {
        const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
        require(write(out.get()) == 1);
        std::string text(BIO_ctrl_pending(out.get()), '\0');
        require(BIO_read(out.get(), text.data(), static_cast<int>(text.size())) ==
                static_cast<int>(text.size()));
        return text;
    }

    static const unsigned char* bytes(const std::string& text) {
        return reinterpret_cast<const unsigned char*>(text.c_str());
    }
    static void require(bool holds) {
        if (!holds)
            throw std::runtime_error("OpenSSL could not make a certificate");
    }

    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
};

inline std::string write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
}

} // namespace wva_metrics::test_support
