// XML and HTML as Lisp lists (xml.c), parsed by libxml2.
//
// The library is opened when it is first needed, so that a start does not pay for it and a machine without it only lacks these
// primitives. What is used of its interface is declared here: three functions, and the first members of its nodes.
#include <dlfcn.h>

#include <string>

#include "buffer/buffer.hpp"

namespace neomacs::host {

namespace {

// The members that documents, nodes and attributes begin with; only nodes have the ones after `document`.
struct XmlNode {
  enum Type : int { kElement = 1, kText = 3, kCdata = 4, kComment = 8 };
  void* user;
  int type;
  const char* name;
  XmlNode* children;
  XmlNode* last;
  XmlNode* parent;
  XmlNode* next;
  XmlNode* previous;
  XmlNode* document;
  void* name_space;
  const char* content;
  XmlNode* attributes;
};
// xmlParserOption and htmlParserOption.
constexpr int kRecover = 1;
constexpr int kNoErrors = 32;
constexpr int kNoWarnings = 64;
constexpr int kNoBlanks = 256;
constexpr int kNoNetwork = 2048;

using Parse = XmlNode* (*)(const char* text, int size, const char* url, const char* encoding, int options);

// libxml2, which has state of its own and so is never closed; null functions when there is none.
class Library {
 public:
  Library() : handle_(dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL)) {}
  [[nodiscard]] bool here() const { return handle_ != nullptr; }
  template <class Function>
  [[nodiscard]] Function find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

Value text_of(Context& cx, const char* text) { return text == nullptr ? kNil : make_string(cx, text); }

// libxml2 itself refuses what is nested deeper than a few hundred levels, so recursion is shallow.
// (NAME ATTRIBUTES CHILD…) for an element, a string for text, (comment nil TEXT); nil for the other kinds of nodes.
Value list_of(Context& cx, const XmlNode* node) {
  switch (node->type) {
    case XmlNode::kElement: {
      Value attributes = kNil;
      for (const XmlNode* a = node->attributes; a != nullptr; a = a->next)
        if (a->children != nullptr && a->children->content != nullptr)
          attributes = cons(cx, cons(cx, intern(cx, a->name), make_string(cx, a->children->content)), attributes);
      Value result = list(cx, {nreverse_list(attributes), intern(cx, node->name)});
      for (const XmlNode* child = node->children; child != nullptr; child = child->next)
        result = cons(cx, TRY(list_of(cx, child)), result);
      return nreverse_list(result);
    }
    case XmlNode::kText:
    case XmlNode::kCdata: return text_of(cx, node->content);
    case XmlNode::kComment:
      return node->content == nullptr ? kNil : list(cx, {intern(cx, "comment"), kNil, make_string(cx, node->content)});
    default: return kNil;
  }
}

// All that stands at the top of a document: the one thing there is, or (top nil THING…).
Value top_of(Context& cx, const XmlNode* document) {
  Value things = kNil;
  for (const XmlNode* node = document->children; node != nullptr; node = node->next) {
    const Value thing = TRY(list_of(cx, node));
    if (thing.truthy()) things = cons(cx, thing, things);
  }
  if (things.is_nil() || cdr_raw(things).is_nil()) return things.is_nil() ? kNil : car_raw(things);
  return cons(cx, intern(cx, "top"), cons(cx, kNil, nreverse_list(things)));
}

Value parse_region(Context& cx, Value start, Value end, Value base_url, Value discard_comments, bool html) {
  const Region region = TRY(region_arguments(cx, start, end));
  std::string url;
  if (base_url.truthy()) {
    TRY(check_type(cx, base_url.is_string(), Qstringp, base_url));
    url = to_std_string(base_url);
  }
  const Library library;
  const auto parse = library.find<Parse>(html ? "htmlReadMemory" : "xmlReadMemory");
  const auto root = library.find<XmlNode* (*)(const XmlNode*)>("xmlDocGetRootElement");
  const auto release = library.find<void (*)(XmlNode*)>("xmlFreeDoc");
  if (parse == nullptr || root == nullptr || release == nullptr) return unimplemented(cx, "XML without libxml2");
  Buffer& b = current_buffer(cx);
  const text::Cursor cursor = b.cursor();
  std::string text;
  const std::int64_t last = clip(b, region.end).bytes - 1;
  for (std::int64_t i = clip(b, region.start).bytes - 1; i < last; ++i)
    text.push_back(static_cast<char>(*cursor.at(i)));
  if (text.size() > INT32_MAX) return signal_error0(cx, intern(cx, "overflow-error"));
  const int options = kNoErrors | kNoWarnings | kNoBlanks | kNoNetwork | (html ? kRecover : 0);
  XmlNode* const document =
      parse(text.data(), static_cast<int>(text.size()), url.empty() ? nullptr : url.c_str(), "utf-8", options);
  if (document == nullptr) return kNil;
  Value result = kNil;
  if (discard_comments.is_nil()) {
    result = top_of(cx, document);
  } else if (const XmlNode* const element = root(document); element != nullptr) {
    result = list_of(cx, element);
  }
  release(document);
  return result;
}

}  // namespace

NEOVM_PRIMITIVE(libxml_available_p, "libxml-available-p", 0, 0, kMainOnly, kBlockingIo, kNoGc, kNoReentry,
                kNondeterministic, "Return t if libxml2 is on this machine.")
(Context&) { return boolean(Library().here()); }

NEOVM_PRIMITIVE(
    libxml_parse_xml_region, "libxml-parse-xml-region", 2, 4, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
    "Return the XML between START and END as nested lists; BASE-URL is where it is from. With DISCARD-COMMENTS "
    "those outside the root element are left out.")
(Context& cx, Value start, Value end, Value base_url, Value discard_comments) {
  return parse_region(cx, start, end, base_url, discard_comments, false);
}

NEOVM_PRIMITIVE(libxml_parse_html_region, "libxml-parse-html-region", 2, 4, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return the HTML between START and END as nested lists, as `libxml-parse-xml-region' does.")
(Context& cx, Value start, Value end, Value base_url, Value discard_comments) {
  return parse_region(cx, start, end, base_url, discard_comments, true);
}

}  // namespace neomacs::host
