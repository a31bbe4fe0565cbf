using System.Globalization;
using System.Text;

namespace Supervisor.Config.Import;

/// <summary>The %-specifiers of systemd.unit(5), which follow from a unit's name, the folders of the system manager and the host.</summary>
internal static class SystemdSpecifiers
{
    /// <summary>Specifiers that the manager of a user has in another way than that of the system.</summary>
    private const string OfUser = "hugUGstSLCED";

    private const string All = "aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY%";

    /// <summary>Replaces specifiers; null if one is unknown, with the reason.</summary>
    public static string? Expand(string text, SystemdUnit unit, out string reason)
    {
        reason = "";
        var expanded = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%' || i + 1 == text.Length)
            {
                expanded.Append(text[i]);
                continue;
            }

            // Text that is not a specifier stays, as in systemd's specifier_printf().
            var value = Value(text[++i], unit);
            if (value is null && !All.Contains(text[i]))
            {
                value = "%" + text[i];
            }

            if (value is null)
            {
                reason = text[i] is 'i' or 'I' or 'n' or 'N' or 'f' or 'd' && unit.Instance is null or ""
                    ? $"%{text[i]} needs the name of the instance: import {unit.Prefix}@INSTANCE.{unit.Type} instead of the template"
                    : unit.IsOfUser && OfUser.Contains(text[i]) ? $"%{text[i]} depends on the user whose manager runs it: write its value"
                    : $"%{text[i]} is unknown on this host: write its value";
                return null;
            }

            expanded.Append(value);
        }

        return expanded.ToString();
    }

    private static string? Value(char specifier, SystemdUnit unit)
    {
        var instance = unit.Instance is { Length: > 0 } given ? given : null;
        return specifier switch
        {
            '%' => "%",
            _ when unit.IsOfUser && OfUser.Contains(specifier) => unit.User?.Specifier(specifier),
            'n' => instance is null && unit.Instance is not null ? null : unit.Name,
            'N' => instance is null && unit.Instance is not null ? null : unit.Stem,
            'p' => unit.Prefix,
            'P' => Unescape(unit.Prefix),
            'i' => instance ?? (unit.Instance is null ? "" : null),
            'I' => instance is null ? (unit.Instance is null ? "" : null) : Unescape(instance),
            'j' => LastPart(unit.Prefix),
            'J' => Unescape(LastPart(unit.Prefix)),
            'f' => instance is null && unit.Instance is not null ? null : "/" + Unescape(instance ?? unit.Prefix).TrimStart('/'),
            't' => "/run",
            'S' => "/var/lib",
            'C' => "/var/cache",
            'L' => "/var/log",
            'E' => "/etc",
            'D' => "/usr/share",
            'd' when !(instance is null && unit.Instance is not null) => SystemdDirectories.OfCredentials(unit),
            'T' => "/tmp",
            'V' => "/var/tmp",
            'h' => "/root",
            'u' or 'g' => "root",
            'U' or 'G' => "0",
            // DEFAULT_USER_SHELL of systemd, since version 251.
            's' => "/bin/bash",
            _ => unit.Host.Specifier(specifier),
        };
    }

    /// <summary>The specifiers of a text that are facts of the host, with their values.</summary>
    public static IEnumerable<(char Specifier, string Value)> OfHost(string text, ImportHost host)
    {
        for (var i = 0; i + 1 < text.Length; i++)
        {
            if (text[i] == '%' && host.Specifier(text[++i]) is { } value)
            {
                yield return (text[i], value);
            }
        }
    }

    /// <summary>Reverses systemd-escape(1): <c>-</c> is a slash, <c>\xNN</c> a byte.</summary>
    private static string Unescape(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x'
                && byte.TryParse(text.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 3;
            }
            else
            {
                bytes.AddRange(text[i] == '-' ? "/"u8 : Encoding.UTF8.GetBytes(text[i].ToString()));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string LastPart(string prefix) => prefix[(prefix.LastIndexOf('-') + 1)..];
}
