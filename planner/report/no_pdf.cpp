#include "planner/report/writers.hpp"
#include "sim/base/check.hpp"

namespace orrery {

bool can_write_pdf() {
  return false;
}

std::string pdf_report(const Document&) {
  throw InputError("PDF",
                   "this program was built without libharu and writes no PDF; install libhpdf-dev and build "
                   "again, or write HTML, Markdown, CSV or JSON");
}

}  // namespace orrery
