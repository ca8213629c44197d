/* mdoc.c: a table of options as a list in mdoc(7), for the manual. */
#include "mdoc.h"

#include <ctype.h>
#include <string.h>

#include "mdoc_words.h"

/* Lines of the manual's source are no longer. */
enum { LINE = 100 };

/* Also those that this build has not, as the manual is of all. */
static const char BACKENDS[] = "sendmmsg|portable|xdp";

struct writer {
    const struct command *command;
    FILE *file;
    int column; /* of the line that was begun; 0: none */
};

/* ---- What is marked ------------------------------------------------------------------------- */

static const char CAPITALS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char NAME_LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static bool is_words(const char *argument)
{
    return argument != NULL && (strchr(argument, '|') != NULL || strcmp(argument, "BACKEND") == 0);
}

static bool takes_word(const struct option_row *row, struct piece word)
{
    return is_words(row->argument) &&
           piece_is_one_of(word, strchr(row->argument, '|') != NULL ? row->argument : BACKENDS,
                           "|");
}

static bool any_takes_word(const struct command *command, struct piece word)
{
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        if (takes_word(row, word))
            return true;
    return false;
}

static bool is_part_of_argument(const struct command *command, struct piece part)
{
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        if (row->argument != NULL && strchr(row->argument, '|') == NULL &&
            piece_is_one_of(part, row->argument, ":=,/[]"))
            return true;
    return false;
}

/* "FILE", or with what may be between parts: "HOST:PORT", ":PORT". */
static bool is_argument(const struct command *command, struct piece core)
{
    const char *next = core.text, *end = core.text + core.len;
    bool found = false;

    while (next < end) {
        size_t len = strspn(next, CAPITALS);
        if (len == 0 && strchr(":=,/[]", *next) == NULL)
            return false;
        if (len > 0 && !is_part_of_argument(command, piece_of(next, len)))
            return false;
        found = found || len > 0;
        next += len > 0 ? len : 1;
    }
    return found;
}

static bool is_long_option(struct piece core)
{
    return core.len > 2 && piece_begins(core, "--") &&
           piece_consists_of(piece_after(core, 2), NAME_LETTERS);
}

static bool is_option(const struct option_row *row, struct piece core)
{
    if (core.len == 2 && core.text[0] == '-')
        return core.text[1] == row->letter;
    return is_long_option(core) && piece_is(piece_after(core, 2), row->name);
}

/* NULL if the word is none. */
static const struct option_row *option_of(const struct command *command, struct piece core)
{
    const struct option_row *row = command->rows;
    while (row->name != NULL && !is_option(row, core))
        row++;
    return row->name != NULL ? row : NULL;
}

static bool is_constant(struct piece core)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return piece_consists_of(core, letters) &&
           (piece_has(core, '_') || (piece_begins(core, "SIG") && core.len > 3));
}

/* "send(2)" */
static bool is_page(struct piece core)
{
    return core.len > 3 && core.text[core.len - 1] == ')' && core.text[core.len - 3] == '(' &&
           isdigit((unsigned char)core.text[core.len - 2]) && core.text[0] != '(';
}

enum mark { PLAIN, LONG_OPTION, LETTER, ARGUMENT, CONSTANT, PAGE, SECTION, TYPED };

static enum mark mark_of(const struct command *command, struct piece core)
{
    if (core.len > 2 && (core.text[0] == '`' || core.text[0] == '"'))
        return core.text[0] == '`' ? TYPED : SECTION;
    if (is_long_option(core))
        return LONG_OPTION;
    if (option_of(command, core) != NULL)
        return LETTER;
    if (is_argument(command, core))
        return ARGUMENT;
    if (is_constant(core))
        return CONSTANT;
    return is_page(core) ? PAGE : PLAIN;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void end_line(struct writer *writer)
{
    if (writer->column > 0)
        fputc('\n', writer->file);
    writer->column = 0;
}

static void write_escaped(struct piece piece, FILE *file)
{
    for (int i = 0; i < piece.len; i++)
        if (piece.text[i] == '\\')
            fputs("\\e", file);
        else if (piece.text[i] == '"')
            fputs("\\(dq", file);
        else
            fputc(piece.text[i], file);
}

/* A dot or an apostrophe that begins a line would make it a macro. */
static void write_plain(struct writer *writer, const struct word *word)
{
    const char *end = word->closing.text + word->closing.len;
    struct piece whole = piece_of(word->opening.text, (size_t)(end - word->opening.text));

    if (writer->column + 1 + whole.len > LINE)
        end_line(writer);
    if (writer->column > 0)
        writer->column += fprintf(writer->file, " ");
    else if (piece_begins(whole, ".") || piece_begins(whole, "'"))
        fputs("\\&", writer->file);
    write_escaped(whole, writer->file);
    writer->column += whole.len;
}

/* ---- Macros --------------------------------------------------------------------------------- */

/* An argument of a macro that could be read as another one, or as punctuation. */
static bool looks_special(struct piece piece)
{
    return (piece.len == 1 && strchr(".,:;?!|()[]", piece.text[0]) != NULL) ||
           ((piece.len == 2 || piece.len == 3) && isupper((unsigned char)piece.text[0]));
}

static void write_typed(const struct writer *writer, struct piece core)
{
    struct piece typed = piece_of(core.text + 1, (size_t)core.len - 2);
    const char *quote = piece_has(typed, ' ') ? "\"" : "";
    const char *macro = is_argument(writer->command, typed)      ? "Ar"
                        : any_takes_word(writer->command, typed) ? "Cm"
                                                                 : "Li";

    fprintf(writer->file, "%s %s%s", macro, quote, looks_special(typed) ? "\\&" : "");
    write_escaped(typed, writer->file);
    fputs(quote, writer->file);
}

static void write_marked(const struct writer *writer, enum mark mark, struct piece core)
{
    FILE *file = writer->file;

    switch (mark) {
    case LONG_OPTION:
        fprintf(file, "Fl Fl %.*s", core.len - 2, core.text + 2);
        break;
    case LETTER:
        fprintf(file, "Fl %c", core.text[1]);
        break;
    case PAGE:
        fprintf(file, "Xr %.*s %c", core.len - 3, core.text, core.text[core.len - 2]);
        break;
    case SECTION:
        fprintf(file, "Sx %.*s", core.len - 2, core.text + 1);
        break;
    case TYPED:
        write_typed(writer, core);
        break;
    default:
        fprintf(file, "%s %.*s", mark == ARGUMENT ? "Ar" : "Dv", core.len, core.text);
    }
}

static void write_glued(const struct writer *writer, struct piece glued)
{
    if (glued.len == 0)
        return;
    fputs(" Ns ", writer->file);
    write_escaped(glued, writer->file);
}

/* Punctuation goes outside of what is marked if it stands alone. */
static void write_closing(const struct writer *writer, struct piece closing)
{
    for (int i = 0; i < closing.len; i++)
        fprintf(writer->file, " %c", closing.text[i]);
}

/* "--backend xdp": the word that follows an option, if the option takes it. Returns what follows.
 */
static const char *write_value(const struct writer *writer, const char *text, struct word *word)
{
    const struct option_row *row = option_of(writer->command, word->core);
    const char *next = text;
    struct word value;

    if (row == NULL || word->glued.len > 0 || word->closing.len > 0 ||
        !mdoc_next_word(&next, &value) || !takes_word(row, value.core))
        return text;
    fprintf(writer->file, " Cm %.*s", value.core.len, value.core.text);
    word->glued = value.glued;
    word->closing = value.closing;
    return next;
}

/* Returns what follows. */
static const char *write_macro_line(struct writer *writer, enum mark mark, const char *text,
                                    struct word *word)
{
    end_line(writer);
    fputs(word->opening.len > 0 ? ".No ( Ns " : ".", writer->file);
    write_marked(writer, mark, word->core);
    text = write_value(writer, text, word);
    write_glued(writer, word->glued);
    write_closing(writer, word->closing);
    fputc('\n', writer->file);
    return text;
}

/* ---- The list ------------------------------------------------------------------------------- */

static void write_detail(struct writer *writer, const char *text)
{
    struct word word;

    while (mdoc_next_word(&text, &word)) {
        enum mark mark = mark_of(writer->command, word.core);
        if (mark == PLAIN)
            write_plain(writer, &word);
        else
            text = write_macro_line(writer, mark, text, &word);
        if (mdoc_ends_sentence(&word))
            end_line(writer);
    }
    end_line(writer);
}

/* "on|off" as Cm on Ns | Ns Cm off. */
static void write_argument(const char *argument, FILE *file)
{
    const char *macro = strchr(argument, '|') != NULL ? "Cm " : "Ar ";

    fprintf(file, " %s", macro);
    for (; *argument != '\0'; argument++)
        if (*argument == '|')
            fprintf(file, " Ns | Ns %s", macro);
        else
            fputc(*argument, file);
}

static void write_item(struct writer *writer, const struct option_row *row)
{
    fputs(".It ", writer->file);
    if (row->letter != '\0')
        fprintf(writer->file, "Fl %c , ", row->letter);
    fprintf(writer->file, "Fl Fl %s", row->name);
    if (row->argument != NULL)
        write_argument(row->argument, writer->file);
    fputc('\n', writer->file);
    write_detail(writer, row->detail != NULL ? row->detail : row->help);
}

void mdoc_write_options(const struct command *command, FILE *file)
{
    struct writer writer = { .command = command, .file = file };

    fputs(".Bl -tag -width Ds\n", file);
    for (const struct option_row *row = command->rows; row->name != NULL; row++)
        write_item(&writer, row);
    write_item(&writer, &help_row);
    fputs(".El\n", file);
}
