using System.Diagnostics.CodeAnalysis;
using System.Text;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Paths;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A file of variables in the syntax of systemd's EnvironmentFile= (systemd.exec(5)): NAME=VALUE lines, comments after
/// <c>#</c> or <c>;</c>, values in single or double quotes which may span lines, a backslash that continues a line.
/// </summary>
public static class EnvironmentFile
{
    /// <summary>
    /// The size limit of a file, in bytes: execve(2) accepts only a few megabytes of environment (MAX_ARG_STRLEN, 128 KiB for
    /// each variable).
    /// </summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>
    /// Reads <paramref name="path"/>; with a leading <c>-</c> it may be missing. If other users could have put the file there,
    /// it is read with the rights of the worker's user (<see cref="TrustedFile"/>). It waits for the file system without a
    /// limit: any thread but the loop.
    /// </summary>
    /// <param name="path">The path as the configuration has it.</param>
    /// <param name="identity">The user that the variables are for.</param>
    /// <param name="variables">The variables, in order.</param>
    /// <param name="error">The problem, with the path and a remedy.</param>
    /// <param name="ignored">Gets the lines without effect that are not comments.</param>
    public static bool TryRead(
        string path, WorkerIdentity identity, [NotNullWhen(true)] out IReadOnlyList<KeyValuePair<string, string>>? variables,
            [NotNullWhen(false)] out string? error, ICollection<IgnoredLine>? ignored = null)
    {
        var optional = path.StartsWith('-');
        var file = optional ? path[1..] : path;
        error = null;
        var content = TrustedFile.Read(file, MaxBytes, identity.Rights, PathTrust.InForce, out var refusal);
        if (content is not null)
        {
            ReadOnlySpan<byte> text = content;
            text = text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text;
            variables = Parse(ByteText.Decode(text), ignored);
            return true;
        }

        if (optional && refusal!.IsMissing)
        {
            variables = [];
            return true;
        }

        variables = null;
        error = refusal switch
        {
            { IsMissing: true } => $"{file} does not exist; write \"-{file}\" if it may be missing",
            { Error.Name: "EISDIR" } => $"{file} is a directory; name a file in it",
            { Error.Name: "EACCES" } =>
                $"{file} cannot be read: {refusal.Reason}; "
                    + "give that user read permission, and search permission on the directories above it",
            _ => $"{file} cannot be read: {refusal!.Reason}; {refusal.Remedy ?? "make it readable"}",
        };
        return false;
    }

    /// <summary>The variables of a text, in order, without those that listend sets for its workers.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ignored">Gets those lines, and lines that are neither a variable nor a comment, as systemd ignores them.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Parse(string text, ICollection<IgnoredLine>? ignored = null)
    {
        var variables = new List<KeyValuePair<string, string>>();
        var at = 0;
        var (line, counted) = (1, 0);
        void Ignore(int start, string? variable = null)
        {
            line += text.AsSpan(counted, start - counted).Count('\n');
            counted = start;
            ignored?.Add(new IgnoredLine(line, variable));
        }

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
                Ignore(start);
                continue;
            }

            at++;
            var value = Value(text, ref at);
            if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                Ignore(start);
            }
            else if (SupervisorVariables.IsOwn(name))
            {
                Ignore(start, name);
            }
            else
            {
                variables.Add(new(name, value));
            }
        }

        return variables;
    }

    /// <summary>
    /// Reads from behind the <c>=</c> to the end of the line, as load_env_file() of systemd's src/basic/env-file.c does: quotes
    /// count at the beginning and after other quotes; elsewhere they are ordinary characters.
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

        // Blanks at the end do not belong to the value.
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
