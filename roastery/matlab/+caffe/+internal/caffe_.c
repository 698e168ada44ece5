/* The MEX file of Roastery's +caffe: it embeds Python and passes calls on.
 *
 *   [failure, result] = caffe_('start', libpython, executable, library, folder)
 *   [failure, result] = caffe_('call', command, argument, ...)
 *
 * failure is [] or a struct with identifier and message: nothing here raises an error itself, so
 * no jump of mexErrMsgTxt passes by Python's state. What commands there are, and what they want,
 * is roastery/matlab/calls.py's business. Python is found when this runs, by functions of its
 * stable interface alone, so that one build serves every Python from 3.11 on and needs none of its
 * headers.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mex.h"

#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0
#endif

typedef struct object PyObject;
typedef intptr_t ssize;

#define FUNCTIONS(X)                                                     \
  X(int, Py_IsInitialized, (void))                                       \
  X(void, Py_InitializeEx, (int))                                        \
  X(int, Py_FinalizeEx, (void))                                          \
  X(wchar_t *, Py_DecodeLocale, (const char *, size_t *))                \
  X(void, Py_SetProgramName, (const wchar_t *))                          \
  X(void, Py_DecRef, (PyObject *))                                       \
  X(void *, PyEval_SaveThread, (void))                                   \
  X(int, PyGILState_Ensure, (void))                                      \
  X(void, PyGILState_Release, (int))                                     \
  X(PyObject *, PyImport_ImportModule, (const char *))                   \
  X(PyObject *, PySys_GetObject, (const char *))                         \
  X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))      \
  X(PyObject *, PyObject_CallObject, (PyObject *, PyObject *))           \
  X(PyObject *, PyObject_Str, (PyObject *))                              \
  X(PyObject *, PyUnicode_AsUTF8String, (PyObject *))                    \
  X(PyObject *, PyUnicode_DecodeFSDefault, (const char *))               \
  X(PyObject *, PyBytes_FromString, (const char *))                      \
  X(char *, PyBytes_AsString, (PyObject *))                              \
  X(PyObject *, PyMemoryView_FromMemory, (char *, ssize, int))           \
  X(PyObject *, PyTuple_New, (ssize))                                    \
  X(int, PyTuple_SetItem, (PyObject *, ssize, PyObject *))               \
  X(PyObject *, PyTuple_GetItem, (PyObject *, ssize))                    \
  X(ssize, PyTuple_Size, (PyObject *))                                   \
  X(int, PyList_Append, (PyObject *, PyObject *))                        \
  X(PyObject *, PyFloat_FromDouble, (double))                            \
  X(double, PyFloat_AsDouble, (PyObject *))                              \
  X(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))       \
  X(unsigned long long, PyLong_AsUnsignedLongLong, (PyObject *))         \
  X(PyObject *, PyErr_Occurred, (void))                                  \
  X(void, PyErr_Clear, (void))                                           \
  X(int, PyErr_CheckSignals, (void))                                     \
  X(void, PyErr_SetInterrupt, (void))                                    \
  X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **))          \
  X(void, PyErr_NormalizeException, (PyObject **, PyObject **, PyObject **))

#define DECLARE(type, name, arguments) type(*name) arguments;
static struct {
  FUNCTIONS(DECLARE)
} py;

static PyObject *entry;            /* roastery.matlab.calls.call_command */
static PyObject *held;             /* the last result: an array in it may be memory of a blob */
static int ours, stopped;          /* Python was started here; it has ended */
static int can_interrupt;          /* Python has a handler of SIGINT, python_sigint */
static struct sigaction python_sigint;
static volatile sig_atomic_t *octave_interrupts; /* above 0: SIGINT came; NULL in MATLAB */
static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watch_begin = PTHREAD_COND_INITIALIZER;
static int calling;

/* --- what is told of failures ------------------------------------------------------------- */

static mxArray *failure(const char *identifier, const char *message) {
  const char *names[] = {"identifier", "message"};
  mxArray *told = mxCreateStructMatrix(1, 1, 2, names);
  mxSetField(told, 0, "identifier", mxCreateString(identifier));
  mxSetField(told, 0, "message", mxCreateString(message));
  return told;
}

static mxArray *start_failure(const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return failure("Roastery:start", text);
}

/* Python's pending exception as text; it is cleared. */
static void exception_text(char *text, size_t size) {
  PyObject *type = NULL, *value = NULL, *trace = NULL, *string = NULL, *bytes = NULL;
  snprintf(text, size, "an exception without words");
  py.PyErr_Fetch(&type, &value, &trace);
  py.PyErr_NormalizeException(&type, &value, &trace);
  if (value != NULL) string = py.PyObject_Str(value);
  if (string != NULL) bytes = py.PyUnicode_AsUTF8String(string);
  if (bytes != NULL) snprintf(text, size, "%s", py.PyBytes_AsString(bytes));
  py.PyErr_Clear();
  PyObject *all[] = {type, value, trace, string, bytes};
  for (int i = 0; i < 5; i++)
    if (all[i] != NULL) py.Py_DecRef(all[i]);
}

/* --- MATLAB's values to Python's ---------------------------------------------------------- */

static PyObject *pair(const char *kind, PyObject *value) {
  PyObject *made = py.PyTuple_New(2);
  py.PyTuple_SetItem(made, 0, py.PyBytes_FromString(kind));
  py.PyTuple_SetItem(made, 1, value);
  return made;
}

static char *text_of(const mxArray *array) {
#ifdef MATLAB_MEX_FILE
  return mxArrayToUTF8String(array);
#else
  return mxArrayToString(array);
#endif
}

static int is_plain(const mxArray *array) { return !mxIsComplex(array) && !mxIsSparse(array); }

/* A struct with ptr and init_key, as +caffe's handles are: (number, key); else NULL. */
static PyObject *handle_of(const mxArray *array) {
  if (!mxIsStruct(array) || mxGetNumberOfElements(array) != 1) return NULL;
  const mxArray *number = mxGetField(array, 0, "ptr"), *key = mxGetField(array, 0, "init_key");
  if (number == NULL || !mxIsUint64(number) || mxGetNumberOfElements(number) != 1) return NULL;
  if (key == NULL || !mxIsDouble(key) || mxGetNumberOfElements(key) != 1) return NULL;
  PyObject *made = py.PyTuple_New(2);
  py.PyTuple_SetItem(made, 0, py.PyLong_FromUnsignedLongLong(*(uint64_t *)mxGetData(number)));
  py.PyTuple_SetItem(made, 1, py.PyFloat_FromDouble(mxGetScalar(key)));
  return made;
}

static PyObject *dimensions_of(const mxArray *array) {
  const mwSize *sizes = mxGetDimensions(array);
  ssize axes = (ssize)mxGetNumberOfDimensions(array);
  PyObject *made = py.PyTuple_New(axes);
  for (ssize i = 0; i < axes; i++)
    py.PyTuple_SetItem(made, i, py.PyLong_FromUnsignedLongLong(sizes[i]));
  return made;
}

/* Values are lent, not copied: Python keeps none of them beyond the call. */
static PyObject *to_python(const mxArray *array) {
  enum { MOST_NUMBERS = 4096 };
  size_t count = mxGetNumberOfElements(array);
  PyObject *handle;
  if (mxIsChar(array) && (mxGetM(array) == 1 || count == 0)) {
    char *text = count ? text_of(array) : NULL;
    PyObject *made = pair("text", py.PyBytes_FromString(text ? text : ""));
    if (text != NULL) mxFree(text);
    return made;
  }
  if (mxIsSingle(array) && is_plain(array)) {
    static char nothing[1];
    char *data = count ? (char *)mxGetData(array) : nothing;
    PyObject *made = py.PyTuple_New(3);
    py.PyTuple_SetItem(made, 0, py.PyBytes_FromString("single"));
    enum { READ_ONLY = 0x100 };
    py.PyTuple_SetItem(
        made, 1, py.PyMemoryView_FromMemory(data, (ssize)(count * sizeof(float)), READ_ONLY));
    py.PyTuple_SetItem(made, 2, dimensions_of(array));
    return made;
  }
  if (mxIsDouble(array) && is_plain(array) && count <= MOST_NUMBERS) {
    const double *values = (const double *)mxGetData(array);
    PyObject *made = py.PyTuple_New((ssize)count);
    for (size_t i = 0; i < count; i++)
      py.PyTuple_SetItem(made, (ssize)i, py.PyFloat_FromDouble(values[i]));
    return pair("numbers", made);
  }
  if ((handle = handle_of(array)) != NULL) return pair("handle", handle);
  return pair("other", py.PyBytes_FromString(mxGetClassName(array)));
}

/* --- Python's results to MATLAB's --------------------------------------------------------- */

static const char *bytes_at(PyObject *tuple, ssize i) {
  const char *text = py.PyBytes_AsString(py.PyTuple_GetItem(tuple, i));
  return text ? text : "";
}

static mxArray *numbers_of(PyObject *tuple, int row) {
  ssize count = py.PyTuple_Size(tuple);
  mxArray *made = mxCreateDoubleMatrix(row ? 1 : count, row ? count : 1, mxREAL);
  double *values = (double *)mxGetData(made);
  for (ssize i = 0; i < count; i++) values[i] = py.PyFloat_AsDouble(py.PyTuple_GetItem(tuple, i));
  return made;
}

static mxArray *handles_of(double key, PyObject *numbers) {
  const char *names[] = {"ptr", "init_key"};
  ssize count = py.PyTuple_Size(numbers);
  mxArray *made = mxCreateStructMatrix(count, 1, 2, names);
  for (ssize i = 0; i < count; i++) {
    mxArray *number = mxCreateNumericMatrix(1, 1, mxUINT64_CLASS, mxREAL);
    *(uint64_t *)mxGetData(number) =
        py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(numbers, i));
    mxSetField(made, i, "ptr", number);
    mxSetField(made, i, "init_key", mxCreateDoubleScalar(key));
  }
  return made;
}

/* An array of single that is still Python's: its sizes, the first the fastest, and its values. */
enum { MOST_AXES = 64 };
typedef struct {
  mwSize sizes[MOST_AXES], axes;
  size_t count;
  const void *values;
} lent_single;

static lent_single lent_single_of(PyObject *result) {
  lent_single lent;
  PyObject *given = py.PyTuple_GetItem(result, 1);
  ssize axes = py.PyTuple_Size(given);
  lent.axes = (mwSize)(axes > MOST_AXES ? MOST_AXES : axes);
  lent.count = 1;
  for (mwSize i = 0; i < lent.axes; i++) {
    lent.sizes[i] =
        (mwSize)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(given, (ssize)i));
    lent.count *= (size_t)lent.sizes[i];
  }
  lent.values =
      (const void *)(uintptr_t)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(result, 2));
  return lent;
}

static mxArray *copied(const lent_single *lent) {
  mxArray *made = mxCreateNumericArray(lent->axes, lent->sizes, mxSINGLE_CLASS, mxREAL);
  if (lent->count) memcpy(mxGetData(made), lent->values, lent->count * sizeof(float));
  return made;
}

static mxArray *to_matlab(PyObject *result) {
  const char *kind = bytes_at(result, 0);
  if (!strcmp(kind, "number"))
    return mxCreateDoubleScalar(py.PyFloat_AsDouble(py.PyTuple_GetItem(result, 1)));
  if (!strcmp(kind, "text")) return mxCreateString(bytes_at(result, 1));
  if (!strcmp(kind, "row")) return numbers_of(py.PyTuple_GetItem(result, 1), 1);
  if (!strcmp(kind, "column")) return numbers_of(py.PyTuple_GetItem(result, 1), 0);
  if (!strcmp(kind, "handles"))
    return handles_of(py.PyFloat_AsDouble(py.PyTuple_GetItem(result, 1)),
                      py.PyTuple_GetItem(result, 2));
  if (!strcmp(kind, "cells")) { /* a column of results */
    PyObject *items = py.PyTuple_GetItem(result, 1);
    ssize count = py.PyTuple_Size(items);
    mxArray *made = mxCreateCellMatrix(count, 1);
    for (ssize i = 0; i < count; i++)
      mxSetCell(made, i, to_matlab(py.PyTuple_GetItem(items, i)));
    return made;
  }
  if (!strcmp(kind, "record")) { /* ((name, result), ...) */
    PyObject *items = py.PyTuple_GetItem(result, 1);
    mxArray *made = mxCreateStructMatrix(1, 1, 0, NULL);
    for (ssize i = 0; i < py.PyTuple_Size(items); i++) {
      PyObject *item = py.PyTuple_GetItem(items, i);
      int field = mxAddField(made, bytes_at(item, 0));
      mxSetFieldByNumber(made, 0, field, to_matlab(py.PyTuple_GetItem(item, 1)));
    }
    return made;
  }
  return mxCreateDoubleMatrix(0, 0, mxREAL);
}

/* --- starting and ending ------------------------------------------------------------------ */

/* Libraries of extension modules look into what they bring along before they look into this
 * program, which has an HDF5 and a BLAS of its own, of other versions. */
static void bind_deeply(void) {
  PyObject *set = py.PySys_GetObject("setdlopenflags"), *arguments = py.PyTuple_New(1), *done;
  py.PyTuple_SetItem(arguments, 0, py.PyLong_FromUnsignedLongLong(RTLD_NOW | RTLD_DEEPBIND));
  done = set ? py.PyObject_CallObject(set, arguments) : NULL;
  if (done != NULL) py.Py_DecRef(done);
  py.Py_DecRef(arguments);
  py.PyErr_Clear();
}

static void start_watching(void);

/* Let Python make its handler of SIGINT, keep it (MATLAB's calls use it), and put the one that was
 * there back. It fails where Python runs in another thread; then Ctrl-C waits for a call's end. */
static void prepare_interrupts(void) {
  struct sigaction before;
  PyObject *module = py.PyImport_ImportModule("signal"), *handler = NULL, *set = NULL;
  sigaction(SIGINT, NULL, &before);
  if (module != NULL) {
    handler = py.PyObject_GetAttrString(module, "default_int_handler");
    set = py.PyObject_GetAttrString(module, "signal");
    py.Py_DecRef(module);
  }
  if (handler != NULL && set != NULL) {
    PyObject *arguments = py.PyTuple_New(2), *done;
    py.PyTuple_SetItem(arguments, 0, py.PyLong_FromUnsignedLongLong(SIGINT));
    py.PyTuple_SetItem(arguments, 1, handler);
    done = py.PyObject_CallObject(set, arguments);
    if (done != NULL) {
      can_interrupt = 1;
      py.Py_DecRef(done);
    }
    py.Py_DecRef(arguments);
    py.Py_DecRef(set);
    sigaction(SIGINT, NULL, &python_sigint);
  }
  py.PyErr_Clear();
  sigaction(SIGINT, &before, NULL);
  if (can_interrupt) start_watching();
}

static void stop(void) {
  if (stopped || entry == NULL) return;
  stopped = 1;
  py.PyGILState_Ensure();
  if (ours) py.Py_FinalizeEx();
}

static mxArray *load(const char *libpython, const char *executable, const char *library) {
  if (access(executable, X_OK) != 0)
    return start_failure("there is no Python %s any more\n  hint: run `roastery matlab --build` "
                         "again, in the environment that has Roastery", executable);
  /* Python ends the whole program where it finds no library of its own. */
  if (access(library, R_OK) != 0)
    return start_failure("Python's library is not at %s any more\n  hint: run `roastery matlab "
                         "--build` again", library);
  /* Modules that are loaded later find Python's functions here: so they are for all to see. */
  void *loaded = dlopen(libpython, RTLD_NOW | RTLD_GLOBAL);
  if (loaded == NULL) return start_failure("cannot load Python: %s", dlerror());
#define LOOK_UP(type, name, arguments)                                         \
  *(void **)&py.name = dlsym(loaded, #name);                                   \
  if (py.name == NULL) return start_failure("%s has no " #name ": it takes Python 3.11 or newer", \
                                            libpython);
  FUNCTIONS(LOOK_UP)
  if (py.Py_IsInitialized()) return NULL;
  int *utf8 = (int *)dlsym(loaded, "Py_UTF8Mode");
  if (utf8 != NULL) *utf8 = 1;
  static wchar_t *name; /* Python keeps it */
  name = py.Py_DecodeLocale(executable, NULL);
  if (name == NULL) return start_failure("cannot read the name %s", executable);
  py.Py_SetProgramName(name); /* its folder tells the virtual environment */
  char *home = getenv("PYTHONHOME"), *kept = home ? strdup(home) : NULL;
  if (home != NULL) unsetenv("PYTHONHOME"); /* of another Python */
  py.Py_InitializeEx(0);
  if (kept != NULL) {
    setenv("PYTHONHOME", kept, 1);
    free(kept);
  }
  ours = 1;
  bind_deeply();
  prepare_interrupts();
  py.PyEval_SaveThread();
  return NULL;
}

static PyObject *import_calls(const char *folder) {
  PyObject *module = py.PyImport_ImportModule("roastery.matlab.calls");
  if (module != NULL) return module;
  PyObject *path = py.PySys_GetObject("path"), *place;
  if (path == NULL || !*folder) return NULL;
  py.PyErr_Clear();
  place = py.PyUnicode_DecodeFSDefault(folder);
  if (place == NULL) return NULL;
  py.PyList_Append(path, place);
  py.Py_DecRef(place);
  return py.PyImport_ImportModule("roastery.matlab.calls");
}

static mxArray *start(const char *libpython, const char *executable, const char *library,
                      const char *folder) {
  char text[2048];
  if (entry != NULL) return NULL;
  if (py.Py_IsInitialized == NULL || !py.Py_IsInitialized()) {
    mxArray *told = load(libpython, executable, library);
    if (told != NULL) return told;
  }
  int state = py.PyGILState_Ensure();
  PyObject *module = import_calls(folder);
  if (module != NULL) {
    entry = py.PyObject_GetAttrString(module, "call_command");
    py.Py_DecRef(module);
  }
  if (entry == NULL) exception_text(text, sizeof text);
  py.PyGILState_Release(state);
  if (entry != NULL) return NULL;
  const char *others = getenv("PYTHONPATH");
  return start_failure("%s cannot import roastery: %s%s%s", executable, text,
                       others ? "\n  hint: PYTHONPATH comes before what is installed: " : "",
                       others ? others : "");
}

/* --- calls -------------------------------------------------------------------------------- */

/* Octave takes SIGINT in a thread of its own and only notes it, for when the call is over. This
 * thread looks for the note while Python runs, and passes it on. The note stays: Octave then stops
 * what it was doing. */
static void *watch(void *interrupts) {
  for (;;) {
    pthread_mutex_lock(&watch_lock);
    while (!calling) pthread_cond_wait(&watch_begin, &watch_lock);
    if (*(volatile sig_atomic_t *)interrupts > 0) {
      py.PyErr_SetInterrupt();
      calling = 0; /* once for a call */
    }
    pthread_mutex_unlock(&watch_lock);
    usleep(20000);
  }
  return NULL;
}

static void start_watching(void) {
  pthread_t thread;
  sigset_t all, before;
  octave_interrupts = dlsym(RTLD_DEFAULT, "octave_interrupt_state");
  if (octave_interrupts == NULL) return;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, watch, (void *)octave_interrupts) != 0) octave_interrupts = NULL;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void set_calling(int value) {
  pthread_mutex_lock(&watch_lock);
  calling = value;
  pthread_cond_signal(&watch_begin);
  pthread_mutex_unlock(&watch_lock);
}

/* Call Python so that SIGINT reaches it. Returns the answer, or NULL: interrupted. */
static PyObject *ask(PyObject *arguments) {
  struct sigaction host;
  if (octave_interrupts != NULL && *octave_interrupts > 0) return NULL;
  if (can_interrupt && octave_interrupts != NULL) set_calling(1);
  if (can_interrupt && octave_interrupts == NULL) sigaction(SIGINT, &python_sigint, &host);
  PyObject *answer = py.PyObject_CallObject(entry, arguments);
  if (can_interrupt && octave_interrupts != NULL) set_calling(0);
  if (can_interrupt && octave_interrupts == NULL) sigaction(SIGINT, &host, NULL);
  if (can_interrupt && answer != NULL && py.PyErr_CheckSignals() != 0) { /* at the very end */
    py.Py_DecRef(answer);
    answer = NULL;
  }
  py.PyErr_Clear(); /* call_command raises nothing but what a signal does */
  return answer;
}

static mxArray *call(int count, const mxArray **given, mxArray **result) {
  if (stopped) return NULL; /* objects that go when the program ends */
  if (entry == NULL) return start_failure("Python has not been started");
  mxArray *told = NULL;
  int state = py.PyGILState_Ensure();
  PyObject *arguments = py.PyTuple_New(count), *answer;
  for (int i = 0; i < count; i++) py.PyTuple_SetItem(arguments, i, to_python(given[i]));
  if (held != NULL) py.Py_DecRef(held);
  held = answer = ask(arguments);
  py.Py_DecRef(arguments);
  const char *outcome = answer != NULL ? bytes_at(answer, 0) : "interrupted";
  if (!strcmp(outcome, "ok") && !strcmp(bytes_at(py.PyTuple_GetItem(answer, 1), 0), "single")) {
    /* Memory for it may not be there, which jumps out of here: so Python is let go first. Its
     * array stays, as it is held. */
    lent_single lent = lent_single_of(py.PyTuple_GetItem(answer, 1));
    py.PyGILState_Release(state);
    *result = copied(&lent);
    return NULL;
  } else if (!strcmp(outcome, "ok")) {
    *result = to_matlab(py.PyTuple_GetItem(answer, 1));
  } else if (!strcmp(outcome, "error")) {
    told = failure(bytes_at(answer, 1), bytes_at(answer, 2));
  } else {
    told = failure("Roastery:interrupted", "interrupted");
  }
  py.PyErr_Clear();
  py.PyGILState_Release(state);
  return told;
}

static int all_text(int count, const mxArray **given) {
  for (int i = 0; i < count; i++)
    if (!mxIsChar(given[i]) || mxGetNumberOfElements(given[i]) == 0 || mxGetM(given[i]) != 1)
      return 0;
  return 1;
}

void mexFunction(int nlhs, mxArray **plhs, int nrhs, const mxArray **prhs) {
  mxArray *told = NULL, *result = NULL;
  if (!mexIsLocked()) { /* `clear all` leaves it: Python cannot be started twice */
    mexLock();
    mexAtExit(stop);
  }
  char *word = nrhs > 0 && all_text(1, prhs) ? text_of(prhs[0]) : NULL;
  if (word != NULL && !strcmp(word, "start") && nrhs == 5 && all_text(5, prhs)) {
    char *words[4];
    for (int i = 0; i < 4; i++) words[i] = text_of(prhs[i + 1]);
    told = start(words[0], words[1], words[2], words[3]);
    for (int i = 0; i < 4; i++) mxFree(words[i]);
  } else if (word != NULL && !strcmp(word, "call") && nrhs > 1) {
    told = call(nrhs - 1, prhs + 1, &result);
  } else {
    told = failure("Roastery:use", "usage: [failure, result] = caffe_('call', command, ...)");
  }
  if (word != NULL) mxFree(word);
  plhs[0] = told != NULL ? told : mxCreateDoubleMatrix(0, 0, mxREAL);
  if (nlhs > 1) plhs[1] = result != NULL ? result : mxCreateDoubleMatrix(0, 0, mxREAL);
}
