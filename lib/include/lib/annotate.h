/*
 * Annotations for Clang's thread-safety analysis, which the lint suite runs over the whole kernel;
 * gcc sees nothing.
 */
#ifndef LIB_ANNOTATE_H
#define LIB_ANNOTATE_H

#ifdef __clang__
#define ANNOTATE(x) __attribute__((x))
#else
#define ANNOTATE(x)
#endif

#define CAPABILITY(name) ANNOTATE(capability(name))
#define GUARDED_BY(lock) ANNOTATE(guarded_by(lock))
#define ACQUIRE(...)     ANNOTATE(acquire_capability(__VA_ARGS__))
#define RELEASE(...)     ANNOTATE(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) ANNOTATE(try_acquire_capability(__VA_ARGS__))
#define REQUIRES(...)    ANNOTATE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...)    ANNOTATE(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY ANNOTATE(no_thread_safety_analysis)

#endif
