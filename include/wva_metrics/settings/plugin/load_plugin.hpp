// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/plugin/plugin.hpp"

// Otherwise Boost.DLL would have to be linked with Boost.Filesystem.
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

/// What the system says of a shared object that cannot be loaded, without what Boost.DLL and the
/// system say around it.
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

/// A library that something may have come from is never unloaded: what it made, the errors it gave
/// and the handlers it left in an io_context hold pointers into it, and nobody can tell when the
/// last of them is gone.
inline void keep_loaded(boost::dll::shared_library library) {
    static auto& mutex = *new std::mutex;
    static auto& kept = *new std::vector<boost::dll::shared_library>;
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(library));
}

} // namespace detail

/// Loads a shared object and registers the backend in it; returns the backend's name.
///
/// The path is taken as it is, a relative one from the current directory; nothing is searched for.
/// Loading runs code of the file before anything of it can be checked: load only what you trust as
/// you trust your program. What has been registered stays loaded until the program ends.
///
/// Errors, all `Errc::invalid_config` with the path and the reason: there is no such file; it is no
/// shared object, or needs one that is not there; it is no plugin; it was built for another version
/// or ABI (`plugin_abi`); a backend of its name is registered already. The file is unloaded then,
/// and the factory unchanged. What the plugin's maker says or throws is an error of
/// `make_collector`.
inline Result<std::string> load_plugin(CollectorFactory& factory,
                                       const std::filesystem::path& path) {
    std::error_code ignored;
    const std::string full = std::filesystem::absolute(path, ignored).lexically_normal().string();
    const auto refuse = [&](const std::string& reason) {
        return Error(Errc::invalid_config, "the plugin " + full + " " + reason);
    };
    if (path.empty())
        return Error(Errc::invalid_config, "the path of a plugin is empty");
    if (!std::filesystem::exists(full, ignored))
        return refuse("does not exist");
    if (!std::filesystem::is_regular_file(full, ignored))
        return refuse("is no file");

    boost::dll::shared_library library;
    try {
        library.load(full, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& failure) {
        return refuse("cannot be loaded as a shared object: " +
                      detail::loading_problem(failure.what(), full));
    }
    if (!library.has("wva_metrics_plugin"))
        return refuse("is a shared object, but no plugin: it does not export wva_metrics_plugin, "
                      "as WVA_METRICS_EXPORT_BACKEND does");
    const auto& descriptor = library.get<const PluginDescriptor>("wva_metrics_plugin");
    if (descriptor.abi == nullptr || std::string_view(descriptor.abi) != plugin_abi)
        return refuse("was built with " +
                      std::string(descriptor.abi == nullptr ? "nothing known" : descriptor.abi) +
                      ", but this program with " + plugin_abi +
                      "; build one of them again with what the other has");
    if (descriptor.backend == nullptr || descriptor.make_backend == nullptr)
        return refuse("has a backend without a name or without a function that makes it");
    std::string name = descriptor.backend;
    try {
        factory.register_backend(name, descriptor.make_backend);
    } catch (const ResultError& taken) {
        return refuse("cannot be registered: " + taken.error().message);
    }
    detail::keep_loaded(std::move(library));
    return name;
}

/// Loads several, e.g. `CollectorSettings::plugins`. Those that can be loaded are; the error tells
/// of all that cannot.
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
