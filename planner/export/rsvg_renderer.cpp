// Pictures by librsvg on cairo; no_renderer.cpp stands in where they were not found.
#include <cairo-pdf.h>
#include <cairo.h>
#include <librsvg/rsvg.h>

#include <cmath>
#include <memory>

#include "planner/export/svg_picture.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kPixelsPerUnit = 1.5;

struct Free {
  void operator()(RsvgHandle* p) const { g_object_unref(p); }
  void operator()(cairo_surface_t* p) const { cairo_surface_destroy(p); }
  void operator()(cairo_t* p) const { cairo_destroy(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

[[noreturn]] void fail(GError* error, const char* what) {
  std::string text = what;
  if (error != nullptr) {
    text += std::string(": ") + error->message;
    g_error_free(error);
  }
  throw InputError("picture", text);
}

cairo_status_t append(void* to, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

void draw(RsvgHandle* svg, cairo_surface_t* surface, double width, double height) {
  const Owned<cairo_t> cairo(cairo_create(surface));
  const RsvgRectangle all{.x = 0, .y = 0, .width = width, .height = height};
  GError* error = nullptr;
  if (rsvg_handle_render_document(svg, cairo.get(), &all, &error) == FALSE) fail(error, "cannot be drawn");
  if (cairo_status(cairo.get()) != CAIRO_STATUS_SUCCESS)
    fail(nullptr, cairo_status_to_string(cairo_status(cairo.get())));
}

}  // namespace

bool can_render_pictures() {
  return true;
}

std::string render_picture(const std::string& svg, PictureFormat format) {
  if (format == PictureFormat::kSvg) return svg;
  GError* error = nullptr;
  const Owned<RsvgHandle> handle(
      rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  if (!handle) fail(error, "is no SVG");
  gboolean has_box = FALSE;
  RsvgRectangle box{};
  rsvg_handle_get_intrinsic_dimensions(handle.get(), nullptr, nullptr, nullptr, nullptr, &has_box, &box);
  if (has_box == FALSE || box.width <= 0 || box.height <= 0) fail(nullptr, "has no size");
  std::string out;
  if (format == PictureFormat::kPdf) {
    const Owned<cairo_surface_t> surface(
        cairo_pdf_surface_create_for_stream(append, &out, box.width, box.height));
    // Same input, same bytes: no clock.
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    draw(handle.get(), surface.get(), box.width, box.height);
    cairo_surface_finish(surface.get());
    return out;
  }
  const double width = std::ceil(box.width * kPixelsPerUnit);
  const double height = std::ceil(box.height * kPixelsPerUnit);
  const Owned<cairo_surface_t> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(height)));
  draw(handle.get(), surface.get(), width, height);
  if (cairo_surface_write_to_png_stream(surface.get(), append, &out) != CAIRO_STATUS_SUCCESS)
    fail(nullptr, "cannot be written as PNG");
  return out;
}

}  // namespace orrery
