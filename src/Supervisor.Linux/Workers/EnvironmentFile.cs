using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A file of variables in the syntax of systemd's EnvironmentFile= (systemd.exec(5)): NAME=VALUE lines, comments after
/// <c>#</c> or <c>;</c>, values in single or double quotes which may span lines, a backslash that continues a line.
/// </summary>
public static class EnvironmentFile
{
    /// <summary>Reads <paramref name="path"/>; with a leading <c>-</c> it may be missing.</summary>
    public static bool TryRead(string path, [NotNullWhen(true)] out IReadOnlyList<KeyValuePair<string, string>>? variables, [NotNullWhen(false)] out string? error)
    {
        var optional = path.StartsWith('-');
        var file = optional ? path[1..] : path;
        error = null;
        try
        {
            variables = Parse(File.ReadAllText(file));
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (optional && exception is FileNotFoundException or DirectoryNotFoundException)
            {
                variables = [];
                return true;
            }

            variables = null;
            error = exception switch
            {
                FileNotFoundException or DirectoryNotFoundException => $"there is no file {file}; write \"-{file}\" if it may be missing",
                _ when Directory.Exists(file) => $"{file} is a directory; name a file in it",
                UnauthorizedAccessException => $"{file} cannot be read: EACCES; let the daemon's user read it, and search the directories above it",
                _ => $"{file} cannot be read: {exception.Message}; see that it can be",
            };
            return false;
        }
    }

    /// <summary>The variables of a text, in order.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Parse(string text)
    {
        var variables = new List<KeyValuePair<string, string>>();
        var at = 0;
        while (at < text.Length)
        {
            while (at < text.Length && char.IsWhiteSpace(text[at]))
            {
                at++;
            }

            if (at >= text.Length)
            {
                break;
            }

            if (text[at] is '#' or ';')
            {
                SkipLine(text, ref at);
                continue;
            }

            var start = at;
            while (at < text.Length && text[at] is not ('=' or '\n' or '\r'))
            {
                at++;
            }

            var name = text[start..at].Trim();
            if (at >= text.Length || text[at] is '\n' or '\r')
            {
                continue;
            }

            at++;
            var value = Value(text, ref at);
            if (name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                variables.Add(new(name, value));
            }
        }

        return variables;
    }

    /// <summary>
    /// From behind the <c>=</c> to the end of the line, as load_env_file() of systemd's src/basic/env-file.c reads it:
    /// quotes count at the beginning, and after other quotes; further on they are characters like any other.
    /// </summary>
    private static string Value(string text, ref int at)
    {
        var value = new StringBuilder();
        var kept = 0;
        var atBeginning = true;
        while (at < text.Length && text[at] is not ('\n' or '\r'))
        {
            var c = text[at++];
            switch (c)
            {
                case '\'' when atBeginning:
                    while (at < text.Length && text[at] != '\'')
                    {
                        value.Append(text[at++]);
                    }

                    at++;
                    kept = value.Length;
                    break;
                case '"' when atBeginning:
                    DoubleQuoted(text, ref at, value);
                    kept = value.Length;
                    break;
                case '\\':
                    if (at < text.Length && text[at] is not ('\n' or '\r'))
                    {
                        value.Append(text[at]);
                    }

                    at++;
                    kept = value.Length;
                    atBeginning = false;
                    break;
                case ' ' or '\t':
                    if (!atBeginning)
                    {
                        value.Append(c);
                    }

                    break;
                default:
                    value.Append(c);
                    kept = value.Length;
                    atBeginning = false;
                    break;
            }
        }

        // Blanks at the end are not part of it.
        return value.ToString(0, kept);
    }

    private static void DoubleQuoted(string text, ref int at, StringBuilder value)
    {
        while (at < text.Length && text[at] != '"')
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
                if (text[at] == '\n')
                {
                    at++;
                    continue;
                }

                if (text[at] is not ('"' or '\\' or '`' or '$'))
                {
                    value.Append('\\');
                }
            }

            value.Append(text[at++]);
        }

        at++;
    }

    private static void SkipLine(string text, ref int at)
    {
        while (at < text.Length && text[at] is not ('\n' or '\r'))
        {
            at++;
        }
    }
}
