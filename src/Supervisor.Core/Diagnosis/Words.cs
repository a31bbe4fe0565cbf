using System.Globalization;

namespace Supervisor.Core.Diagnosis;

/// <summary>Numbers in the sentences of findings.</summary>
internal static class Words
{
    /// <summary>Such as "1 connection" or "12 connections".</summary>
    public static string Count(long number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");
}
