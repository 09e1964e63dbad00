/*
 * printf's formatting for the kernel, without floating point. No state, no allocation: everything
 * is written straight into the caller's buffer, and what does not fit is only counted.
 */
#include <lib/fmt.h>

#include <lib/string.h>

struct out {
	char *to;
	size_t cap_bytes;
	size_t len; /* of the whole text, stored or not */
};

struct spec {
	bool left;
	bool zero;
	bool plus;
	bool space;
	bool alternate;
	bool has_precision;
	size_t width;
	size_t precision;
	unsigned base;
	bool upper;
};

static void put(struct out *out, char character)
{
	if (out->len + 1 < out->cap_bytes)
		out->to[out->len] = character;
	out->len++;
}

static void put_repeated(struct out *out, char character, size_t count)
{
	while (count--)
		put(out, character);
}

static void put_string(struct out *out, const struct spec *spec, const char *string)
{
	size_t len;

	if (!string)
		string = "(null)";
	len = spec->has_precision ? strnlen(string, spec->precision) : strlen(string);
	if (!spec->left && spec->width > len)
		put_repeated(out, ' ', spec->width - len);
	for (size_t i = 0; i < len; i++)
		put(out, string[i]);
	if (spec->left && spec->width > len)
		put_repeated(out, ' ', spec->width - len);
}

static const char *sign_or_prefix(const struct spec *spec, bool is_signed, bool negative,
				  uint64_t magnitude)
{
	if (negative)
		return "-";
	if (is_signed && spec->plus)
		return "+";
	if (is_signed && spec->space)
		return " ";
	if (spec->alternate && spec->base == 16 && magnitude)
		return spec->upper ? "0X" : "0x";
	return "";
}

static void put_number(struct out *out, const struct spec *spec, bool is_signed, bool negative,
		       uint64_t magnitude)
{
	const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = sign_or_prefix(spec, is_signed, negative, magnitude);
	char text[24];
	size_t ndigits = 0;
	size_t zeros = 0;
	size_t total;

	for (uint64_t rest = magnitude; rest; rest /= spec->base)
		text[ndigits++] = digits[rest % spec->base];
	if (spec->has_precision)
		zeros = spec->precision > ndigits ? spec->precision - ndigits : 0;
	else if (!ndigits)
		zeros = 1;
	if (spec->alternate && spec->base == 8 && !zeros)
		zeros = 1;

	total = strlen(prefix) + zeros + ndigits;
	if (spec->zero && !spec->left && !spec->has_precision && spec->width > total) {
		zeros += spec->width - total;
		total = spec->width;
	}
	if (!spec->left && spec->width > total)
		put_repeated(out, ' ', spec->width - total);
	while (*prefix)
		put(out, *prefix++);
	put_repeated(out, '0', zeros);
	while (ndigits)
		put(out, text[--ndigits]);
	if (spec->left && spec->width > total)
		put_repeated(out, ' ', spec->width - total);
}

static const char *parse_flags(const char *format, struct spec *spec)
{
	for (;; format++) {
		switch (*format) {
		case '-':
			spec->left = true;
			break;
		case '0':
			spec->zero = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alternate = true;
			break;
		default:
			return format;
		}
	}
}

static const char *parse_count(const char *format, size_t *count)
{
	for (*count = 0; *format >= '0' && *format <= '9'; format++)
		*count = *count * 10 + (size_t)(*format - '0');
	return format;
}

enum length { LEN_CHAR, LEN_SHORT, LEN_INT, LEN_LONG };

static const char *parse_length(const char *format, enum length *length)
{
	*length = LEN_INT;
	switch (*format) {
	case 'h':
		*length = format[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return format + (format[1] == 'h' ? 2 : 1);
	case 'l':
		*length = LEN_LONG; /* long and long long are both 64 bits */
		return format + (format[1] == 'l' ? 2 : 1);
	case 'z':
	case 'j':
	case 't':
		*length = LEN_LONG;
		return format + 1;
	default:
		return format;
	}
}

static int64_t narrow_signed(int64_t value, enum length length)
{
	switch (length) {
	case LEN_CHAR:
		return (signed char)value;
	case LEN_SHORT:
		return (short)value;
	default:
		return value;
	}
}

static uint64_t narrow_unsigned(uint64_t value, enum length length)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)value;
	case LEN_SHORT:
		return (unsigned short)value;
	default:
		return value;
	}
}

size_t kernel_format_list(char *to, size_t to_bytes, const char *format, va_list arguments)
{
	struct out out = {.to = to, .cap_bytes = to_bytes};

	while (*format) {
		struct spec spec = {.base = 10};
		enum length length;
		int64_t value;

		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = parse_flags(format + 1, &spec);
		if (*format == '*') {
			int width = va_arg(arguments, int);

			spec.left |= width < 0;
			spec.width = (size_t)(width < 0 ? -(int64_t)width : width);
			format++;
		} else {
			format = parse_count(format, &spec.width);
		}
		if (*format == '.') {
			spec.has_precision = true;
			if (format[1] == '*') {
				int precision = va_arg(arguments, int);

				spec.has_precision = precision >= 0;
				spec.precision = precision < 0 ? 0 : (size_t)precision;
				format += 2;
			} else {
				format = parse_count(format + 1, &spec.precision);
			}
		}
		format = parse_length(format, &length);

		switch (*format) {
		case 'd':
		case 'i':
			value = length == LEN_LONG ? va_arg(arguments, int64_t)
						   : narrow_signed(va_arg(arguments, int), length);
			put_number(&out, &spec, true, value < 0,
				   value < 0 ? -(uint64_t)value : (uint64_t)value);
			break;
		case 'X':
		case 'x':
		case 'o':
		case 'u':
			spec.upper = *format == 'X';
			spec.base = *format == 'u' ? 10 : *format == 'o' ? 8 : 16;
			put_number(&out, &spec, false, false,
				   length == LEN_LONG
					   ? va_arg(arguments, uint64_t)
					   : narrow_unsigned(va_arg(arguments, unsigned), length));
			break;
		case 'p':
			spec.base = 16;
			spec.alternate = true;
			put_number(&out, &spec, false, false, (uintptr_t)va_arg(arguments, void *));
			break;
		case 'c': {
			char text[2] = {(char)va_arg(arguments, int), '\0'};

			spec.has_precision = true;
			spec.precision = 1;
			if (text[0])
				put_string(&out, &spec, text);
			else
				put(&out, '\0');
			break;
		}
		case 's':
			put_string(&out, &spec, va_arg(arguments, const char *));
			break;
		case '%':
			put(&out, '%');
			break;
		case '\0':
			format--; /* a lone % at the end: the loop ends on the NUL */
			break;
		default: /* not ours: shown as it is, so that the mistake is seen */
			put(&out, '%');
			put(&out, *format);
			break;
		}
		format++;
	}
	if (to_bytes)
		to[MIN(out.len, to_bytes - 1)] = '\0';
	return out.len;
}

size_t kernel_format(char *to, size_t to_bytes, const char *format, ...)
{
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(to, to_bytes, format, arguments);
	va_end(arguments);
	return len;
}
