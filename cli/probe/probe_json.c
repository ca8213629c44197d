/* probe_json.c: the answers as a JSON object for programs. */
#include "show.h"

#ifdef HAVE_JANSSON

#include "address.h"
#include "json_object.h"

static const char *state_word(enum answer_state state)
{
    static const char *const words[] = {
        [ANSWER_UNKNOWN] = "unknown", [ANSWER_NO] = "no", [ANSWER_YES] = "yes"
    };
    return words[state];
}

static void put_figure(json_t *object, const struct figure *figure)
{
    switch (figure->kind) {
    case FIGURE_NUMBER:
        json_put_count(object, figure->name, figure->number);
        break;
    case FIGURE_FLAG:
        json_put_flag(object, figure->name, figure->number != 0);
        break;
    case FIGURE_IS_TEXT:
        json_put_text(object, figure->name, figure->text);
        break;
    }
}

static json_t *figures_object(const struct answer *answer)
{
    json_t *object = json_object();
    for (size_t i = 0; i < answer->figure_count; i++)
        put_figure(object, &answer->figures[i]);
    return object;
}

static json_t *answer_object(const struct answer *answer)
{
    json_t *object = json_object();
    json_put_text(object, "name", answer->name);
    json_put_text(object, "state", state_word(answer->state));
    json_put_text(object, "reason", answer->reason);
    json_put_text(object, "remedy", answer->remedy);
    json_put(object, "figures", figures_object(answer));
    return object;
}

static void put_subject(json_t *object, const struct subject *subject)
{
    char text[ADDRESS_TEXT];
    json_put_text(object, "to",
                  subject_has_host(subject) ? address_write(&subject->to, text) : NULL);
    json_put_text(object, "device", subject->device.name);
}

bool show_json(const struct subject *subject, const struct answers *answers)
{
    json_t *object = json_object(), *list = json_array();

    json_put_text(object, "version", udpbatch_version());
    put_subject(object, subject);
    for (size_t i = 0; i < answers->count; i++)
        json_array_append_new(list, answer_object(&answers->list[i]));
    json_put(object, "answers", list);
    return json_object_print(object, "complete", json_boolean(answers_are_complete(answers)));
}

#else

bool show_json(const struct subject *subject, const struct answers *answers)
{
    (void)subject;
    (void)answers;
    return false;
}

#endif
