// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/plugin/plugin.hpp"

// Without it Boost.DLL needs Boost.Filesystem.
#ifndef BOOST_DLL_USE_STD_FS
#define BOOST_DLL_USE_STD_FS
#endif
#include <boost/dll/shared_library.hpp>

#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace detail {

/// The system's reason why a shared object cannot be loaded, without the text that Boost.DLL and
/// the system add around it.
inline std::string loading_problem(std::string_view text, const std::string& path) {
    constexpr std::string_view before = "dlerror system message: ";
    if (const auto begin = text.find(before); begin != std::string_view::npos) {
        text.remove_prefix(begin + before.size());
        text = text.substr(0, text.rfind(')'));
    }
    if (text.starts_with(path + ": "))
        text.remove_prefix(path.size() + 2);
    return std::string(text);
}

/// Keeps a library loaded until the program ends. Backends, errors and handlers of the plugin point
/// into the library, and their lifetime cannot be tracked.
inline void keep_loaded(boost::dll::shared_library library) {
    static auto& mutex = *new std::mutex;
    static auto& kept = *new std::vector<boost::dll::shared_library>;
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(library));
}

} // namespace detail

/// Loads a shared object and registers the backend in it; returns the backend's name.
///
/// A relative path is relative to the current directory; no other directories are searched. Loading
/// runs code of the file before it can be checked: load only files that you trust as much as your
/// program. A registered plugin stays loaded until the program ends.
///
/// **Parameters:**
/// - `factory`: receives the backend.
/// - `path`: the shared object.
///
/// **Errors:**
/// - `invalid_config`, with the path and the reason: the file does not exist; it is not a shared
///   object, or needs one that is missing; it is not a plugin; it was built for another version or
///   ABI (`plugin_abi`); a backend with its name is already registered. The file is then unloaded
///   and the factory unchanged.
///
/// An error or exception of the plugin's factory function is an error of `make_collector`.
///
/// **Threads:** not thread-safe. Do not use the factory concurrently.
inline Result<std::string> load_plugin(CollectorFactory& factory,
                                       const std::filesystem::path& path) {
    std::error_code ignored;
    const std::string full = std::filesystem::absolute(path, ignored).lexically_normal().string();
    const auto reject = [&](const std::string& reason) {
        return Error(Errc::invalid_config, "the plugin " + full + " " + reason);
    };
    if (path.empty())
        return Error(Errc::invalid_config, "the path of a plugin is empty");
    if (!std::filesystem::exists(full, ignored))
        return reject("does not exist");
    if (!std::filesystem::is_regular_file(full, ignored))
        return reject("is not a regular file");

    boost::dll::shared_library library;
    try {
        library.load(full, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& failure) {
        return reject("cannot be loaded as a shared object: " +
                      detail::loading_problem(failure.what(), full));
    }
    if (!library.has("wva_metrics_plugin"))
        return reject("is a shared object but not a plugin: it does not export wva_metrics_plugin "
                      "(use WVA_METRICS_EXPORT_BACKEND)");
    const auto& descriptor = library.get<const PluginDescriptor>("wva_metrics_plugin");
    if (descriptor.abi == nullptr || std::string_view(descriptor.abi) != plugin_abi)
        return reject(
            "was built with " +
            std::string(descriptor.abi == nullptr ? "an unknown version" : descriptor.abi) +
            ", but this program was built with " + plugin_abi +
            "; rebuild one of them to match the other");
    if (descriptor.backend == nullptr || descriptor.make_backend == nullptr)
        return reject("has a backend without a name or without a function that makes it");
    std::string name = descriptor.backend;
    try {
        factory.register_backend(name, descriptor.make_backend);
    } catch (const ResultError& failure) {
        return reject("cannot be registered: " + failure.error().message);
    }
    detail::keep_loaded(std::move(library));
    return name;
}

/// Loads several plugins, e.g. `CollectorSettings::plugins`. If some cannot be loaded, the others
/// are loaded anyway.
///
/// **Parameters:**
/// - `factory`, `paths`: as for `load_plugin`.
///
/// **Errors:**
/// - `invalid_config`, with the path and the reason of each plugin that cannot be loaded.
///
/// **Threads:** not thread-safe. Do not use the factory concurrently.
inline Result<void> load_plugins(CollectorFactory& factory, const std::vector<std::string>& paths) {
    std::vector<std::string> problems;
    for (const std::string& path : paths)
        if (Result<std::string> name = load_plugin(factory, path); !name)
            problems.push_back(std::move(name).error().message);
    if (!problems.empty())
        return Error(Errc::invalid_config, detail::join_problems(problems));
    return {};
}

} // namespace wva_metrics
