
/*
 * Copyright (C) ngx_status_module authors
 *
 * Templates: what comes out for what goes in, by the rules of Mustache,
 * and the sentence for each kind of mistake.
 */

/* sources: ngx_status_module/ngx_status_template.c
            ngx_status_module/ngx_status_template_render.c
            ngx_status_module/ngx_status_out.c
            ngx_status_module/ngx_status_types.c */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../ngx_status_module/ngx_status_template.h"


ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);


/* The data: a page about two people, the first of whom has two tags. */

typedef struct {
    const char   *who;
    const char  **tags;              /* ends with NULL */
} test_person_t;

typedef struct {
    ngx_uint_t           npeople;
    const test_person_t *people;
    ngx_uint_t           calls;      /* of the list callback */
} test_page_t;


static const char *test_tags[] = { "x", "<y>", NULL };
static const char *test_no_tags[] = { NULL };

static const test_person_t  test_people[] = {
    { "Ann", test_tags },
    { "Bob", test_no_tags }
};


static ngx_str_t
test_str(const char *s)
{
    ngx_str_t  str = { strlen(s), (u_char *) s };

    return str;
}


static ngx_str_t
test_title(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return test_str("Page");
}


static ngx_str_t
test_markup(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return test_str("<b class=\"it's\">&</b>");
}


static ngx_str_t
test_lines(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return test_str("<\n->");
}


static ngx_str_t
test_empty(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return (ngx_str_t) ngx_null_string;
}


static ngx_str_t
test_count(void *view, u_char *scratch)
{
    ngx_str_t     s;
    test_page_t  *page = view;

    s.data = scratch;
    s.len = snprintf((char *) scratch, NGX_STATUS_SCRATCH, "%d",
                     (int) page->npeople);
    return s;
}


static ngx_uint_t
test_yes(void *view)
{
    (void) view;

    return 1;
}


static ngx_uint_t
test_no(void *view)
{
    (void) view;

    return 0;
}


static void
test_svg(void *view, ngx_status_out_t *out)
{
    test_page_t  *page = view;

    ngx_status_out_printf(out, "<rect width=\"%d\"/>", (int) page->npeople);
}


static void *
test_list_people(void *view, void *prev)
{
    size_t        i;
    test_page_t  *page = view;

    page->calls++;
    i = prev ? (const test_person_t *) prev - page->people + 1 : 0;

    return i < page->npeople ? (void *) &page->people[i] : NULL;
}


static void *
test_list_none(void *view, void *prev)
{
    (void) view;

    assert_null(prev);
    return NULL;
}


static ngx_str_t
test_page_who(void *view, u_char *scratch)
{
    (void) view;
    (void) scratch;

    return test_str("everyone");
}


static ngx_str_t
test_person_who(void *view, u_char *scratch)
{
    (void) scratch;

    return test_str(((test_person_t *) view)->who);
}


static ngx_uint_t
test_person_tagged(void *view)
{
    return ((test_person_t *) view)->tags[0] != NULL;
}


static void *
test_person_tags(void *view, void *prev)
{
    const char  **tag;

    tag = prev ? (const char **) prev + 1 : ((test_person_t *) view)->tags;

    return *tag ? tag : NULL;
}


static ngx_str_t
test_tag(void *view, u_char *scratch)
{
    (void) scratch;

    return test_str(*(const char **) view);
}


static const ngx_status_field_t  test_tag_fields[] = {
    { ngx_string("."), test_tag, NULL, NULL, NULL, NULL },
    { ngx_null_string, NULL, NULL, NULL, NULL, NULL }
};

static const ngx_status_field_t  test_person_fields[] = {
    { ngx_string("who"), test_person_who, NULL, NULL, NULL, NULL },
    { ngx_string("tagged"), NULL, test_person_tagged, NULL, NULL, NULL },
    { ngx_string("tags"), NULL, NULL, NULL, test_person_tags,
      test_tag_fields },
    { ngx_null_string, NULL, NULL, NULL, NULL, NULL }
};

static const ngx_status_field_t  test_page_fields[] = {
    { ngx_string("title"), test_title, NULL, NULL, NULL, NULL },
    { ngx_string("markup"), test_markup, NULL, NULL, NULL, NULL },
    { ngx_string("lines"), test_lines, NULL, NULL, NULL, NULL },
    { ngx_string("empty"), test_empty, NULL, NULL, NULL, NULL },
    { ngx_string("count"), test_count, NULL, NULL, NULL, NULL },
    { ngx_string("who"), test_page_who, NULL, NULL, NULL, NULL },
    { ngx_string("uptime.24h"), test_count, NULL, NULL, NULL, NULL },
    { ngx_string("yes"), NULL, test_yes, NULL, NULL, NULL },
    { ngx_string("no"), NULL, test_no, NULL, NULL, NULL },
    { ngx_string("svg"), NULL, NULL, test_svg, NULL, NULL },
    { ngx_string("people"), NULL, NULL, NULL, test_list_people,
      test_person_fields },
    { ngx_string("nobody"), NULL, NULL, NULL, test_list_none,
      test_person_fields },
    { ngx_null_string, NULL, NULL, NULL, NULL, NULL }
};


/* Partials of a case, name and text in turn. */

typedef struct {
    const char  *what;
    const char  *text;
    const char  *result;             /* output, or the sentence */
    const char  *partials[7];
} test_case_t;


static ngx_int_t
test_partial(void *data, const ngx_str_t *name, ngx_str_t *text)
{
    const char  *const *p = data;

    for ( /* void */ ; p && *p; p += 2) {
        if (strlen(*p) == name->len && memcmp(*p, name->data, name->len) == 0)
        {
            *text = test_str(p[1]);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* A copy of its own length, so that reading past its end is seen. */

static ngx_status_template_t *
test_compile(ngx_pool_t *pool, const char *text, const char *const *partials,
    char *err, size_t errlen)
{
    size_t                  len;
    ngx_str_t               name, copy;
    ngx_status_template_t  *tpl;

    len = strlen(text);
    name = test_str("page.html");
    copy.len = len;
    copy.data = malloc(len ? len : 1);
    assert_non_null(copy.data);
    memcpy(copy.data, text, len);

    tpl = ngx_status_template_compile(pool, &name, &copy, test_page_fields,
                                      test_partial, (void *) partials, err,
                                      errlen);
    free(copy.data);

    return tpl;
}


static void
test_render(const test_case_t *t)
{
    char                    err[256];
    ngx_pool_t             *pool;
    test_page_t             page = { 2, test_people, 0 };
    ngx_status_out_t        out;
    ngx_status_template_t  *tpl;

    pool = ngx_create_pool(1024, NULL);
    ngx_status_out_init(&out, 0);

    tpl = test_compile(pool, t->text, t->partials, err, sizeof(err));
    if (tpl == NULL) {
        fail_msg("%s: %s", t->what, err);
    }

    ngx_status_template_render(tpl, &page, &out);
    ngx_status_out_raw(&out, "", 1);
    assert_int_equal(out.failed, 0);

    if (strcmp((char *) out.data, t->result) != 0) {
        fail_msg("%s: got \"%s\", expected \"%s\"", t->what,
                 (char *) out.data, t->result);
    }

    ngx_status_out_free(&out);
    ngx_destroy_pool(pool);
}


#define test_table(name, cases)                                              \
    static void                                                              \
    name(void **state)                                                       \
    {                                                                        \
        size_t  i;                                                           \
                                                                             \
        (void) state;                                                        \
                                                                             \
        for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {             \
            test_render(&cases[i]);                                          \
        }                                                                    \
    }


static const test_case_t  test_values_cases[] = {
    { "nothing", "", "", { 0 } },
    { "no tags", "Hello\n{ } { { } }\n", "Hello\n{ } { { } }\n", { 0 } },
    { "value", "Hello, {{title}}!\n", "Hello, Page!\n", { 0 } },
    { "only a value", "{{title}}", "Page", { 0 } },
    { "escaped", "{{markup}}",
      "&lt;b class=&quot;it&#39;s&quot;&gt;&amp;&lt;/b&gt;", { 0 } },
    { "raw, three braces", "{{{markup}}}", "<b class=\"it's\">&</b>", { 0 } },
    { "raw, ampersand", "{{&markup}}", "<b class=\"it's\">&</b>", { 0 } },
    { "not escaped twice", "&amp;{{title}}", "&amp;Page", { 0 } },
    { "made in scratch", "{{count}}+{{{count}}}", "2+2", { 0 } },
    { "name with dots", "{{uptime.24h}}", "2", { 0 } },
    { "empty", "[{{empty}}{{{empty}}}{{&empty}}]", "[]", { 0 } },
    { "surroundings kept", "| {{title}} |  {{{title}}}  |{{&title}} ",
      "| Page |  Page  |Page ", { 0 } },
    { "a value never stands alone",
      "  {{title}}\n  {{{title}}}\n\t{{&title}}\n",
      "  Page\n  Page\n\tPage\n", { 0 } },
    { "padding", "|{{ title }}|{{{ title }}}|{{& title\n}}|",
      "|Page|Page|Page|", { 0 } },
    { "write", "<svg>{{{svg}}}{{& svg }}</svg>",
      "<svg><rect width=\"2\"/><rect width=\"2\"/></svg>", { 0 } },
    { "braces in text", "{ {{title}} } }}", "{ Page } }}", { 0 } },
};

test_table(test_values, test_values_cases)


static const test_case_t  test_comments_cases[] = {
    { "inline", "12345{{! comment }}67890", "1234567890", { 0 } },
    { "of lines", "1{{!\n  two\n  lines\n}}2\n", "12\n", { 0 } },
    { "alone", "Begin.\n{{! here }}\nEnd.\n", "Begin.\nEnd.\n", { 0 } },
    { "alone, indented", "Begin.\n  {{! here }} \t\nEnd.\n",
      "Begin.\nEnd.\n", { 0 } },
    { "alone, CRLF", "|\r\n{{! here }}\r\n|", "|\r\n|", { 0 } },
    { "alone, first line", "  {{! here }}\n!", "!", { 0 } },
    { "alone, last line", "!\n  {{! here }}", "!\n", { 0 } },
    { "alone, all of it", "{{! here }}", "", { 0 } },
    { "alone, of lines", "Begin.\n{{!\nsomething\n}}\nEnd.\n",
      "Begin.\nEnd.\n", { 0 } },
    { "alone, of indented lines", "Begin.\n  {{!\n    x\n  }}\nEnd.\n",
      "Begin.\nEnd.\n", { 0 } },
    { "not alone", "  12 {{! 34 }}\n", "  12 \n", { 0 } },
    { "not alone, text behind", "{{! a }} b\n", " b\n", { 0 } },
    { "not alone, two", " {{! a }} {{! b }}\n", "  \n", { 0 } },
    { "not alone, CR only", "{{! a }}\rb", "\rb", { 0 } },
    { "not alone, CR at the end", "{{! a }}\r", "\r", { 0 } },
    { "surroundings kept", "12345 {{! comment }} 67890", "12345  67890",
      { 0 } },
    { "braces inside", "a{{! {{{ # ^ / = < } }}b", "ab", { 0 } },
    { "empty", "a{{!}}b", "ab", { 0 } },
};

test_table(test_comments, test_comments_cases)


static const test_case_t  test_sections_cases[] = {
    { "flag set", "\"{{#yes}}shown{{/yes}}\"", "\"shown\"", { 0 } },
    { "flag not set", "\"{{#no}}hidden{{/no}}\"", "\"\"", { 0 } },
    { "text", "{{#title}}[{{title}}]{{/title}}", "[Page]", { 0 } },
    { "empty text", "{{#empty}}hidden{{/empty}}", "", { 0 } },
    { "list", "{{#people}}{{who}};{{/people}}", "Ann;Bob;", { 0 } },
    { "empty list", "a{{#nobody}}{{who}}{{/nobody}}b", "ab", { 0 } },
    { "list in list",
      "{{#people}}{{who}}({{#tags}}{{.}},{{/tags}}){{/people}}",
      "Ann(x,&lt;y&gt;,)Bob()", { 0 } },
    { "raw item", "{{#people}}{{#tags}}{{{.}}}{{/tags}}{{/people}}", "x<y>",
      { 0 } },
    { "inner name wins", "{{who}} {{#people}}{{who}} {{/people}}{{who}}",
      "everyone Ann Bob everyone", { 0 } },
    { "outer names are seen",
      "{{#people}}{{#tags}}{{who}}/{{title}}/{{{svg}}}{{#yes}}!{{/yes}} "
      "{{/tags}}{{/people}}",
      "Ann/Page/<rect width=\"2\"/>! Ann/Page/<rect width=\"2\"/>! ", { 0 } },
    { "a flag opens no scope", "{{#people}}{{#tagged}}{{who}}{{/tagged}}"
      "{{/people}}", "Ann", { 0 } },
    { "twice the same list",
      "{{#people}}{{who}}{{/people}} {{#people}}{{who}}{{/people}}",
      "AnnBob AnnBob", { 0 } },
    { "doubled flag", "{{#yes}}\n* first\n{{/yes}}\n* {{title}}\n{{#yes}}\n"
      "* third\n{{/yes}}\n", "* first\n* Page\n* third\n", { 0 } },
    { "nested, set", "| A {{#yes}}B {{#yes}}C{{/yes}} D{{/yes}} E |",
      "| A B C D E |", { 0 } },
    { "nested, not set", "| A {{#no}}B {{#no}}C{{/no}} D{{/no}} E |",
      "| A  E |", { 0 } },
    { "nothing inside", "a{{#yes}}{{/yes}}b{{#people}}{{/people}}c", "abc",
      { 0 } },
    { "section ends a section", "{{#yes}}{{#yes}}a{{/yes}}{{/yes}}"
      "{{#no}}{{#yes}}a{{/yes}}{{/no}}b", "ab", { 0 } },
    { "surroundings kept", " | {{#yes}}\t|\t{{/yes}} | \n",
      " | \t|\t | \n", { 0 } },
    { "inside kept", " | {{#yes}} {{! x }}\n {{/yes}} | \n", " |  \n  | \n",
      { 0 } },
    { "indented inline", " {{#yes}}YES{{/yes}}\n {{#yes}}GOOD{{/yes}}\n",
      " YES\n GOOD\n", { 0 } },
    { "alone", "| This Is\n{{#yes}}\n|\n{{/yes}}\n| A Line\n",
      "| This Is\n|\n| A Line\n", { 0 } },
    { "alone, indented", "| This Is\n  {{#yes}}\n|\n\t{{/yes}} \n| A Line\n",
      "| This Is\n|\n| A Line\n", { 0 } },
    { "alone, CRLF", "|\r\n{{#yes}}\r\n{{/yes}}\r\n|", "|\r\n|", { 0 } },
    { "alone, first line", "  {{#yes}}\n#{{/yes}}\n/", "#\n/", { 0 } },
    { "alone, last line", "#{{#yes}}\n/\n  {{/yes}}", "#\n/\n", { 0 } },
    { "alone, list", "<ul>\n  {{#people}}\n  <li>{{who}}</li>\n"
      "  {{/people}}\n</ul>\n",
      "<ul>\n  <li>Ann</li>\n  <li>Bob</li>\n</ul>\n", { 0 } },
    { "padding", "|{{# yes }}={{/ yes }}|", "|=|", { 0 } },
};

test_table(test_sections, test_sections_cases)


static const test_case_t  test_inverted_cases[] = {
    { "flag set", "\"{{^yes}}hidden{{/yes}}\"", "\"\"", { 0 } },
    { "flag not set", "\"{{^no}}shown{{/no}}\"", "\"shown\"", { 0 } },
    { "text", "{{^title}}hidden{{/title}}", "", { 0 } },
    { "empty text", "{{^empty}}none{{/empty}}", "none", { 0 } },
    { "list", "{{^people}}hidden{{/people}}", "", { 0 } },
    { "empty list", "{{^nobody}}none{{/nobody}}", "none", { 0 } },
    { "opens no scope", "{{^nobody}}{{who}}{{/nobody}}", "everyone", { 0 } },
    { "inside a list", "{{#people}}{{who}}{{^tags}}: none{{/tags}} {{/people}}",
      "Ann Bob: none ", { 0 } },
    { "either or", "{{#people}}{{#tagged}}+{{/tagged}}{{^tagged}}-{{/tagged}}"
      "{{/people}}", "+-", { 0 } },
    { "nested", "| A {{^no}}B {{^no}}C{{/no}} D{{/no}} E |", "| A B C D E |",
      { 0 } },
    { "nested, not shown", "| A {{^yes}}B {{^yes}}C{{/yes}} D{{/yes}} E |",
      "| A  E |", { 0 } },
    { "surroundings kept", " | {{^no}}\t|\t{{/no}} | \n", " | \t|\t | \n",
      { 0 } },
    { "alone", "| This Is\n  {{^no}}\n|\n  {{/no}}\n| A Line\n",
      "| This Is\n|\n| A Line\n", { 0 } },
    { "alone, CRLF", "|\r\n{{^no}}\r\n{{/no}}\r\n|", "|\r\n|", { 0 } },
    { "alone, first line", "  {{^no}}\n^{{/no}}\n/", "^\n/", { 0 } },
    { "alone, last line", "^{{^no}}\n/\n  {{/no}}", "^\n/\n", { 0 } },
    { "padding", "|{{^ no }}={{/ no }}|", "|=|", { 0 } },
};

test_table(test_inverted, test_inverted_cases)


static const test_case_t  test_partials_cases[] = {
    { "inline", "\"{{>a}}\"", "\"from partial\"", { "a", "from partial" } },
    { "sees the view", "{{>a}}", "*Page*", { "a", "*{{title}}*" } },
    { "sees the open lists", "{{#people}}{{>a}}{{/people}}", "<Ann><Bob>",
      { "a", "<{{who}}>" } },
    { "nested", "{{>a}}", "*Page everyone*",
      { "a", "*{{title}} {{>b}}*", "b", "{{who}}" } },
    { "sections of its own", "{{>a}}|{{>a}}", "AnnBob|AnnBob",
      { "a", "{{#people}}{{who}}{{/people}}" } },
    { "empty", "a{{>a}}b", "ab", { "a", "" } },
    { "surroundings kept", "| {{>a}} |", "| \t|\t |", { "a", "\t|\t" } },
    { "inline is not indented", "  {{title}}  {{> a}}\n", "  Page  >\n>\n",
      { "a", ">\n>" } },
    { "alone, CRLF", "|\r\n{{>a}}\r\n|", "|\r\n>|", { "a", ">" } },
    { "alone, first line", "  {{>a}}\n>", "  >\n  >>", { "a", ">\n>" } },
    { "alone, last line", ">\n  {{>a}}", ">\n  >\n  >", { "a", ">\n>" } },
    { "indents the template, not values", "\\\n {{>a}}\n/\n",
      "\\\n |\n <\n->\n |\n/\n", { "a", "|\n{{{lines}}}\n|\n" } },
    { "indents add up", " {{>a}}\n", " 1\n   2\n   3\n 4\n",
      { "a", "1\n  {{>b}}\n4\n", "b", "2\n3\n" } },
    { "indents of three", " {{>a}}\n", "   x\n   y\n",
      { "a", " {{>b}}\n", "b", " {{>c}}\n", "c", "x\ny\n" } },
    { "indent ends at an inline partial", "  {{>a}}\n", "  x 1\n2\n",
      { "a", "x {{>b}}\n", "b", "1\n2" } },
    { "indented sections", "  {{>a}}\n", "  Ann\n  -\n  Bob\n  -\n",
      { "a", "{{#people}}\n{{who}}\n-\n{{/people}}\n" } },
    { "indented inline section", "  {{>a}}\n", "  [y]\n",
      { "a", "{{#yes}}[y]{{/yes}}{{#no}}[n]{{/no}}\n" } },
    { "indented comment", "  {{>a}}\n", "  b\n   c\n",
      { "a", "{{! alone }}\nb\n{{! not }} c\n" } },
    { "padding", "|{{> a }}|", "|[]|", { "a", "[]" } },
};

test_table(test_partials, test_partials_cases)


static const test_case_t  test_errors_cases[] = {
    { "unknown name", "a\nb\n{{titel}}",
      "unknown name \"titel\" in line 3 of \"page.html\", "
      "looked up outside of all lists", { 0 } },
    { "unknown name in a list", "{{#people}}\n{{#tags}}{{#x}}",
      "unknown name \"x\" in line 2 of \"page.html\", "
      "looked up in list \"tags\" and around it", { 0 } },
    { "name out of its list", "{{#people}}{{/people}}{{tags}}",
      "unknown name \"tags\" in line 1 of \"page.html\", "
      "looked up outside of all lists", { 0 } },
    { "an inverted list opens no scope", "{{^nobody}}{{tagged}}{{/nobody}}",
      "unknown name \"tagged\" in line 1 of \"page.html\", "
      "looked up outside of all lists", { 0 } },
    { "unknown name in a partial", "\n\n{{>row}}",
      "unknown name \"x\" in line 2 of \"row\", "
      "looked up outside of all lists", { "row", "\n{{x}}" } },
    { "line after a tag of lines", "{{!\n\n}}\n{{x}}",
      "unknown name \"x\" in line 4 of \"page.html\", "
      "looked up outside of all lists", { 0 } },
    { "control bytes", "{{a\001\nb}}",
      "unknown name \"a??b\" in line 1 of \"page.html\", "
      "looked up outside of all lists", { 0 } },
    { "unclosed section", "a\n{{#yes}}\n{{#people}}\n{{/people}}\n\n",
      "unclosed section \"yes\" in line 2 of \"page.html\"", { 0 } },
    { "section closed in a partial", "{{#yes}}{{>a}}",
      "closing tag \"yes\" in line 1 of \"a\" without an open section",
      { "a", "{{/yes}}" } },
    { "section opened in a partial", "{{>a}}{{/yes}}",
      "unclosed section \"yes\" in line 1 of \"a\"", { "a", "{{#yes}}" } },
    { "wrong closing tag", "{{#yes}}\n{{#no}}\n{{/yes}}",
      "closing tag \"yes\" in line 3 of \"page.html\", "
      "but the open section is \"no\" of line 2", { 0 } },
    { "closing tag alone", "\n{{/yes}}",
      "closing tag \"yes\" in line 2 of \"page.html\" without an open section",
      { 0 } },
    { "unknown partial", "\n{{> nav }}",
      "unknown partial \"nav\" in line 2 of \"page.html\"", { "a", "" } },
    { "recursion", "{{>a}}",
      "partial \"a\" in line 2 of \"a\", partials are nested over 16 deep",
      { "a", "\n{{>a}}" } },
    { "recursion of two", "{{>a}}",
      "partial \"a\" in line 1 of \"b\", partials are nested over 16 deep",
      { "a", "{{>b}}", "b", "{{>a}}{{>a}}" } },
    { "section on a write field", "{{#svg}}{{/svg}}",
      "field \"svg\" in line 1 of \"page.html\", it can not be a section",
      { 0 } },
    { "inverted section on a write field", "{{^svg}}{{/svg}}",
      "field \"svg\" in line 1 of \"page.html\", it can not be a section",
      { 0 } },
    { "write field escaped", "{{svg}}",
      "field \"svg\" in line 1 of \"page.html\", it is ready-made markup and "
      "takes three braces", { 0 } },
    { "flag as a value", "{{yes}}",
      "flag \"yes\" in line 1 of \"page.html\", it may only be a section",
      { 0 } },
    { "flag as a raw value", "{{&yes}}",
      "flag \"yes\" in line 1 of \"page.html\", it may only be a section",
      { 0 } },
    { "list as a value", "{{people}}",
      "list \"people\" in line 1 of \"page.html\", it may only be a section",
      { 0 } },
    { "list in itself", "{{#people}}{{#people}}{{/people}}{{/people}}",
      "list \"people\" in line 1 of \"page.html\", it is used inside itself",
      { 0 } },
    { "inverted list in itself", "{{#people}}{{^people}}{{/people}}{{/people}}",
      "list \"people\" in line 1 of \"page.html\", it is used inside itself",
      { 0 } },
    { "unclosed tag", "a\nb {{title\nc\n",
      "unclosed tag \"{{title\" in line 2 of \"page.html\"", { 0 } },
    { "unclosed tag of one brace", "{{title}",
      "unclosed tag \"{{title}\" in line 1 of \"page.html\"", { 0 } },
    { "unclosed raw tag", "{{{title}} x",
      "unclosed tag \"{{{title}} x\" in line 1 of \"page.html\"", { 0 } },
    { "unclosed comment", "{{!", "unclosed tag \"{{!\" in line 1 of "
      "\"page.html\"", { 0 } },
    { "braces at the end", "a{{", "unclosed tag \"{{\" in line 1 of "
      "\"page.html\"", { 0 } },
    { "no name", "{{ }}", "no name in tag \"{{ }}\" in line 1 of "
      "\"page.html\"", { 0 } },
    { "no name of a section", "{{#}}", "no name in tag \"{{#}}\" in line 1 of "
      "\"page.html\"", { 0 } },
    { "no name of a partial", "{{>}}", "no name in tag \"{{>}}\" in line 1 of "
      "\"page.html\"", { 0 } },
    { "delimiters", "{{=<% %>=}}", "unsupported tag \"{{=<% %>=}}\" in line 1 "
      "of \"page.html\"", { 0 } },
    { "inheritance", "{{<layout}}{{/layout}}", "unsupported tag "
      "\"{{<layout}}\" in line 1 of \"page.html\"", { 0 } },
    { "block", "{{$block}}{{/block}}", "unsupported tag "
      "\"{{$block}}\" in line 1 of \"page.html\"", { 0 } },
};


static void
test_errors(void **state)
{
    char                err[512];
    size_t              i, len;
    ngx_pool_t         *pool;
    const test_case_t  *t;

    (void) state;

    for (i = 0; i < sizeof(test_errors_cases) / sizeof(test_case_t); i++) {
        t = &test_errors_cases[i];
        pool = ngx_create_pool(1024, NULL);
        err[0] = '\0';

        if (test_compile(pool, t->text, t->partials, err, sizeof(err))) {
            fail_msg("%s: compiled", t->what);
        }

        if (strcmp(err, t->result) != 0) {
            fail_msg("%s: got \"%s\", expected \"%s\"", t->what, err,
                     t->result);
        }

        /* cut, with its NUL, whatever the room */

        for (len = 1; len < 40; len += 13) {
            memset(err, 'x', sizeof(err));
            assert_null(test_compile(pool, t->text, t->partials, err, len));
            assert_int_equal(strlen(err), len - 1);
            assert_memory_equal(err, t->result, len - 1);
        }

        ngx_destroy_pool(pool);
    }
}


/* "open" n times, "middle", then "close" n times; malloc()ed. */

static char *
test_nest(ngx_uint_t n, const char *open, const char *middle,
    const char *close)
{
    char        *s, *p;
    ngx_uint_t   i;

    s = malloc(n * (strlen(open) + strlen(close)) + strlen(middle) + 1);
    assert_non_null(s);
    p = s;

    for (i = 0; i < n; i++) {
        p = stpcpy(p, open);
    }

    p = stpcpy(p, middle);

    for (i = 0; i < n; i++) {
        p = stpcpy(p, close);
    }

    return s;
}


static void
test_limits(void **state)
{
    char                    err[256], *text;
    ngx_pool_t             *pool;
    test_page_t             page = { 2, test_people, 0 };
    ngx_status_out_t        out;
    ngx_status_template_t  *tpl;

    static const char  *many[] = {
        "a", "{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}",
        "b", "{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}",
        "c", "{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}{{>d}}",
        "d", "{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}{{>e}}",
        "e", "{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}{{>f}}",
        "f", "{{! nothing comes out of it }}",
        NULL
    };
    static const char  *values[] = {
        "a", "{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}{{>b}}",
        "b", "{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}{{>c}}",
        "c", "{{who}}{{who}}{{who}}{{who}}{{who}}{{who}}{{who}}{{who}}{{who}}",
        NULL
    };

    (void) state;

    pool = ngx_create_pool(1024, NULL);
    ngx_status_out_init(&out, 0);

    /* 32 sections may be open, 33 may not */

    text = test_nest(32, "{{#yes}}(", "{{title}}", "){{/yes}}");
    tpl = test_compile(pool, text, NULL, err, sizeof(err));
    assert_non_null(tpl);
    ngx_status_template_render(tpl, &page, &out);
    assert_int_equal(out.len, 2 * 32 + 4);
    ngx_status_out_free(&out);
    free(text);

    text = test_nest(33, "{{#yes}}\n", "", "{{/yes}}\n");
    assert_null(test_compile(pool, text, NULL, err, sizeof(err)));
    assert_string_equal(err, "section \"yes\" in line 33 of \"page.html\", "
                        "sections are nested over 32 deep");
    free(text);

    /* too much of everything */

    assert_null(test_compile(pool, "{{>a}}{{>a}}", many, err, sizeof(err)));
    assert_string_equal(err, "template \"page.html\" with its partials is over "
                        "65536 tags or 4194304 bytes");

    text = test_nest(100, "{{>a}}", "", "");
    assert_null(test_compile(pool, text, values, err, sizeof(err)));
    assert_string_equal(err, "template \"page.html\" with its partials is over "
                        "65536 tags or 4194304 bytes");
    free(text);

    text = test_nest(65535, "{{who}}", "", "");
    assert_non_null(test_compile(pool, text, NULL, err, sizeof(err)));
    free(text);

    text = test_nest(65536, "{{who}}", "", "");
    assert_null(test_compile(pool, text, NULL, err, sizeof(err)));
    free(text);

    /* a list stops soon after its output failed */

    tpl = test_compile(pool, "{{#people}}{{who}}{{/people}}", NULL, err,
                       sizeof(err));
    assert_non_null(tpl);
    ngx_status_out_init(&out, 4);
    ngx_status_template_render(tpl, &page, &out);
    assert_int_equal(out.failed, 1);
    assert_int_equal(out.len, 3);
    assert_int_equal(page.calls, 2);
    ngx_status_out_free(&out);

    ngx_destroy_pool(pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_inverted),
        cmocka_unit_test(test_partials),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_limits),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
