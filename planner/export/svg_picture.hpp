#pragma once

#include <string>
#include <string_view>

namespace orrery {

enum class PictureFormat { kSvg, kPng, kPdf };

/// By the ending of a file's name: .svg, .png or .pdf. InputError for any other.
[[nodiscard]] PictureFormat picture_format(std::string_view file);

/// Whether this build can make PNG and PDF (librsvg and cairo were found).
[[nodiscard]] bool can_render_pictures();

/// The picture in another format: PNG at 1.5 pixels per unit of the SVG, PDF as vectors at one point per
/// unit. Same SVG and same fonts, same bytes. InputError where this build cannot, or the text is no SVG.
[[nodiscard]] std::string render_picture(const std::string& svg, PictureFormat format);

}  // namespace orrery
